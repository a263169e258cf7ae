/**
 * The sidecar without a cluster, on the manifests in `examples/manifests`. `deno task demo` shows the files of two collections
 * come, change and go, in a temporary folder that it removes. `--watch` follows the manifests until Ctrl-C, as one
 * collection; FOLDER then names a folder to keep.
 */
const root = new URL("../", import.meta.url).pathname;
const manifests = `${root}examples/manifests`;
const LABEL = "k8s-sidecar";
const LABEL_VALUE = "demo";
const TIMEOUT_MS = 20_000;

async function showOnce(): Promise<number> {
  const work = Deno.makeTempDirSync({ prefix: "k8s-sidecar-demo-" });
  const source = `${work}/manifests`;
  Deno.mkdirSync(source);
  for (const { name } of Deno.readDirSync(manifests)) Deno.copyFileSync(`${manifests}/${name}`, `${source}/${name}`);
  const calls = new Calls();
  const config = `${work}/config.yaml`;
  Deno.writeTextFileSync(config, twoCollections(work, calls.url));
  const sidecar = start(source, { CONFIG_FILE: config, LOG_FORMAT: "JSON" });
  const lines = linesOf(sidecar.stdout, work);
  try {
    console.log(
      "1. The ConfigMaps and Secrets in examples/manifests become files, in two collections: dashboards and all others.",
    );
    await showUntil(lines, "Initial sync complete", 2);
    await calls.next();
    console.log(`\n2. A manifest changes, and its file with it:`);
    const manifest = `${source}/team-folder.yaml`;
    const text = Deno.readTextFileSync(manifest);
    Deno.writeTextFileSync(manifest, text.replace('"title": "Team A"', '"title": "Team A, changed"'));
    await showUntil(lines, "team-a.json");
    console.log(`   ${Deno.readTextFileSync(`${work}/dashboards/team-a/team-a.json`).split("\n")[2]?.trim()}`);
    console.log(`   The application of that collection is told: ${await calls.next()}`);
    console.log(`\n3. A manifest is deleted, and its file with it:`);
    Deno.removeSync(`${source}/logo.yaml`);
    await showUntil(lines, "logo.png");
    console.log(
      "\nNext: `npx -y deno@2.9.6 task demo:watch`, and edit examples/manifests; or docs/quickstart.md, on a cluster.",
    );
    return 0;
  } finally {
    try {
      sidecar.kill("SIGTERM");
    } catch { /* it has ended, by Ctrl-C */ }
    await sidecar.status;
    await lines.return(undefined);
    await calls.stop();
    Deno.removeSync(work, { recursive: true });
  }
}

async function follow(): Promise<number> {
  const given = Deno.env.get("FOLDER") ?? "";
  const folder = given === "" ? Deno.makeTempDirSync({ prefix: "k8s-sidecar-demo-" }) : given;
  console.log(`Edit examples/manifests and look at ${folder}. Objects need the label ${LABEL}=${LABEL_VALUE}.`);
  console.log(`Ctrl-C ends the demo${given === "" ? " and removes that folder" : ""}.\n`);
  const sidecar = start(manifests, { LABEL, LABEL_VALUE, FOLDER: folder, LOG_FORMAT: "TEXT" });
  Deno.addSignalListener("SIGTERM", () => sidecar.kill("SIGTERM"));
  for await (const line of linesOf(sidecar.stdout, folder)) console.log(line);
  const { code } = await sidecar.status;
  if (given === "") Deno.removeSync(folder, { recursive: true });
  return code;
}

/** The text of a CONFIG_FILE: each collection has a folder, and one has an application to notify. */
function twoCollections(work: string, url: string): string {
  return `version: 1
collections:
  - name: dashboards
    selector: ${LABEL}=${LABEL_VALUE},grafana_dashboard
    folder: ${work}/dashboards
    notify: { webhook: { url: "${url}", method: POST } }
  - name: others
    selector: ${LABEL}=${LABEL_VALUE},!grafana_dashboard
    folder: ${work}/others
`;
}

function start(source: string, env: Record<string, string>): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", `${root}main.ts`, "--manifests", source],
    env: { METHOD: "WATCH", LIVENESS: "false", ...env },
    stdout: "piped",
  }).spawn();
}

/** An application that is told to reload. */
class Calls {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  #last = Promise.withResolvers<string>();

  constructor() {
    this.#server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, ({ method, url }) => {
      this.#last.resolve(`${method} ${new URL(url).pathname}`);
      return new Response();
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}/reload`;
  }

  /** Waits for a call after the last one that was returned. */
  async next(): Promise<string> {
    const call = await this.#last.promise;
    this.#last = Promise.withResolvers<string>();
    return call;
  }

  async stop(): Promise<void> {
    await this.#server.shutdown();
  }
}

/** Prints the messages about files until so many have this in them. */
async function showUntil(lines: AsyncGenerator<string>, part: string, count = 1): Promise<void> {
  const timeout = setTimeout(() => {
    console.error(`nothing about "${part}" within ${TIMEOUT_MS / 1000} s`);
    Deno.exit(1);
  }, TIMEOUT_MS);
  for (let next = await lines.next(); !next.done; next = await lines.next()) {
    const { msg } = JSON.parse(next.value);
    if (/: (wrote|removed) /.test(msg)) console.log(`   ${msg}`);
    if (msg.includes(part) && --count === 0) return clearTimeout(timeout);
  }
  throw new Error("the sidecar ended");
}

/** The lines of a log, with paths relative to `directory`. */
async function* linesOf(log: ReadableStream<Uint8Array>, directory: string): AsyncGenerator<string> {
  let rest = "";
  for await (const text of log.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield line.replaceAll(`${directory}/`, "");
  }
}

// The sidecar gets Ctrl-C too; this program must outlive it to clean up
Deno.addSignalListener("SIGINT", () => {});
Deno.exit(Deno.args.includes("--watch") ? await follow() : await showOnce());
