/**
 * The tags and annotations of an image of a release, as outputs of a step of GitHub Actions:
 *
 *     image_metadata.ts ghcr.io/deno-k8s-sidecar/deno-k8s-sidecar v1.2.3 debug [--rebuild]
 */
import { parseArgs } from "node:util";

const SOURCE = "https://github.com/deno-k8s-sidecar/deno-k8s-sidecar";
const RAW = "https://raw.githubusercontent.com/deno-k8s-sidecar/deno-k8s-sidecar";

interface Release {
  /** `v1.2.3` */
  tag: string;
  /** A target of the Dockerfile. */
  target: string;
  /** Only the tags that move are published again. */
  isRebuild: boolean;
}

/**
 * `1.2.3`, and `1.2`, `1` and `latest` where there is no newer release of the same minor or major version, or at all. A
 * pre-release gets the first only.
 *
 * @param releases the tags of all releases
 */
export function imageTags({ tag, target, isRebuild }: Release, releases: readonly string[]): string[] {
  const tags = isRebuild ? [] : [tag.slice(1)];
  const version = numbersOf(tag);
  if (version !== undefined) {
    const others = releases.flatMap((other) => {
      const numbers = numbersOf(other);
      return numbers === undefined ? [] : [numbers];
    });
    for (const [count, name] of [[2, version.slice(0, 2).join(".")], [1, `${version[0]}`], [0, "latest"]] as const) {
      const isNewer = (other: number[]) => isSame(other, version, count) && compare(other, version) > 0;
      if (!others.some(isNewer)) tags.push(name);
    }
  }
  return tags.map((name) => target === "default" ? name : `${name}-${target}`);
}

/** OCI's annotations and Artifact Hub's, for the index and each manifest. */
export function imageAnnotations(tag: string, commit: string, created: Date): string[] {
  const annotations = {
    "org.opencontainers.image.title": "deno-k8s-sidecar",
    "org.opencontainers.image.description": "Keeps label-selected ConfigMaps and Secrets as files in a folder",
    "org.opencontainers.image.source": SOURCE,
    "org.opencontainers.image.url": SOURCE,
    "org.opencontainers.image.documentation": `${SOURCE}/blob/${tag}/README.md`,
    "org.opencontainers.image.licenses": "Apache-2.0",
    "org.opencontainers.image.version": tag.slice(1),
    "org.opencontainers.image.revision": commit,
    "org.opencontainers.image.created": created.toISOString(),
    "io.artifacthub.package.readme-url": `${RAW}/${tag}/README.md`,
    "io.artifacthub.package.license": "Apache-2.0",
    "io.artifacthub.package.category": "integration-delivery",
    "io.artifacthub.package.keywords": "sidecar,configmap,secret,grafana,kiwigrid,deno",
  };
  return Object.entries(annotations).map(([key, value]) => `index,manifest:${key}=${value}`);
}

/** `undefined` for a pre-release. */
function numbersOf(tag: string): number[] | undefined {
  return /^v\d+\.\d+\.\d+$/.test(tag) ? tag.slice(1).split(".").map(Number) : undefined;
}

function isSame(a: readonly number[], b: readonly number[], count: number): boolean {
  return a.slice(0, count).join() === b.slice(0, count).join();
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (const [index, number] of a.entries()) {
    if (number !== b[index]) return number - (b[index] ?? 0);
  }
  return 0;
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({ options: { rebuild: { type: "boolean" } }, allowPositionals: true });
  const [image, tag = "", target = ""] = positionals;
  const release = { tag, target, isRebuild: values.rebuild ?? false };
  const tags = imageTags(release, git("tag", "--list", "v*").split("\n"));
  const commit = git("rev-parse", "HEAD");
  print("tags", tags.map((name) => `${image}:${name}`));
  print("annotations", imageAnnotations(tag, commit, new Date()));
  print("version", [tag.slice(1)]);
  print("commit", [commit.slice(0, 12)]);
}

function print(name: string, lines: string[]): void {
  console.log(`${name}<<END\n${lines.join("\n")}\nEND`);
}

function git(...args: string[]): string {
  const { success, stdout } = new Deno.Command("git", { args }).outputSync();
  if (!success) throw new Error(`git ${args.join(" ")} failed`);
  return new TextDecoder().decode(stdout).trim();
}
