/** What a release is made of is fixed, and nothing is released that CI has not passed. */
import assert from "node:assert/strict";
import { parse } from "yaml";

interface Step {
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
}

interface Job {
  uses?: string;
  needs?: string | string[];
  permissions?: Record<string, string>;
  steps?: Step[];
}

interface Workflow {
  on: Record<string, unknown>;
  permissions?: Record<string, string>;
  jobs: Record<string, Job>;
}

const read = (path: string) => Deno.readTextFileSync(new URL(`../${path}`, import.meta.url));
const FOLDER = ".github/workflows";
const TEXTS = new Map(
  [...Deno.readDirSync(new URL(`../${FOLDER}`, import.meta.url))].map(({ name }) => [name, read(`${FOLDER}/${name}`)]),
);
const WORKFLOWS = new Map([...TEXTS].map(([name, text]) => [name, parse(text) as Workflow]));

function* steps(): Generator<{ where: string; step: Step }> {
  for (const [name, { jobs }] of WORKFLOWS) {
    for (const [job, { steps = [] }] of Object.entries(jobs)) {
      for (const step of steps) yield { where: `${name}, ${job}: ${step.uses ?? step.run}`, step };
    }
  }
}

Deno.test("workflows pin each action by commit and name its version", () => {
  for (const [name, text] of TEXTS) {
    for (const [line, action = ""] of text.matchAll(/uses: (\S+).*/g)) {
      if (action.startsWith("./")) continue;
      assert.match(line, /@[0-9a-f]{40} # v\d+\.\d+\.\d+$/, `${name}: ${line}`);
    }
  }
});

Deno.test("workflows pin images by digest", () => {
  for (const [name, text] of TEXTS) {
    for (const [image] of text.matchAll(/kindest\/node:[^\s"',]+/g)) {
      assert.match(image, /@sha256:[0-9a-f]{64}$/, `${name}: ${image}`);
    }
  }
});

Deno.test("workflows run Go programs of a fixed version", () => {
  for (const { where, step } of steps()) {
    for (const [, version = ""] of (step.run ?? "").matchAll(/go (?:run|install) [^\s@]+@(\S+)/g)) {
      assert.match(version, /^v\d+\.\d+\.\d+$/, where);
    }
  }
});

Deno.test("Dockerfile pins each image that it does not build", () => {
  const stages = new Set(["scratch"]);
  for (const [line, image = "", name] of read("Dockerfile").matchAll(/^FROM (?:--\S+ )?(\S+)(?: AS (\S+))?$/gm)) {
    if (!stages.has(image)) assert.match(image, /^[^@]+@sha256:[0-9a-f]{64}$/, line);
    if (name !== undefined) stages.add(name);
  }
  assert.ok(stages.size > 1);
});

Deno.test("checkout leaves no credentials behind", () => {
  for (const { where, step } of steps()) {
    if (step.uses?.startsWith("actions/checkout@")) assert.equal(step.with?.["persist-credentials"], false, where);
  }
});

Deno.test("dependencies are installed from the lock file alone", () => {
  const dockerfile = read("Dockerfile").split("\n").map((run) => ({ where: "Dockerfile", step: { run } }));
  for (const { where, step } of [...steps(), ...dockerfile]) {
    if (/\bdeno (install|ci)\b/.test(step.run ?? "")) assert.match(step.run!, /--frozen\b/, where);
  }
  for (const [name, { jobs }] of WORKFLOWS) {
    for (const [job, { steps = [] }] of Object.entries(jobs)) {
      const runs = steps.map(({ run }) => run ?? "");
      const first = runs.findIndex((run) => /\bdeno (task|run|test|bench)\b/.test(run));
      if (first === -1) continue;
      const install = runs.findIndex((run) => run.startsWith("deno install --frozen"));
      assert.ok(install !== -1 && install < first, `${name}, ${job}: deno install --frozen comes first`);
    }
  }
});

Deno.test("a release begins when ci and e2e have passed for its commit", () => {
  const { jobs } = WORKFLOWS.get("release.yml")!;
  for (const called of ["ci", "e2e"]) {
    assert.equal(jobs[called]?.uses, `./${FOLDER}/${called}.yml`);
    assert.ok("workflow_call" in WORKFLOWS.get(`${called}.yml`)!.on, called);
  }
  for (const [name, job] of Object.entries(jobs)) {
    if (name === "ci" || name === "e2e") continue;
    for (const called of ["ci", "e2e"]) assert.ok(needs(jobs, job).has(called), `${name} waits for ${called}`);
  }
});

Deno.test("jobs get the rights that they need, and no others by default", () => {
  for (const [name, { permissions }] of WORKFLOWS) assert.deepEqual(permissions, { contents: "read" }, name);
});

Deno.test("images and binaries are signed, and attested with what they are made of", () => {
  const { binaries } = WORKFLOWS.get("release.yml")!.jobs;
  const { image } = WORKFLOWS.get("images.yml")!.jobs;
  for (const job of [binaries, image]) {
    assert.equal(job?.permissions?.attestations, "write");
    for (const action of ["attest-build-provenance", "attest-sbom"]) {
      assert.ok(job?.steps?.some(({ uses }) => uses?.startsWith(`actions/${action}@`)), action);
    }
    assert.ok(job?.steps?.some(({ run }) => run?.startsWith("cosign sign")));
  }
});

Deno.test("a release is published when its images are", () => {
  const { binaries, publish, ...others } = WORKFLOWS.get("release.yml")!.jobs;
  assert.ok(binaries?.steps?.some(({ run }) => run?.includes("gh release create") && run.includes("--draft ")));
  assert.ok(publish?.steps?.some(({ run }) => run?.includes("--draft=false")));
  assert.ok(needs({ binaries: binaries!, ...others }, publish!).has("images"));
});

Deno.test("images are built again, without the cache, when Debian's packages have changed", () => {
  const { on, jobs } = WORKFLOWS.get("rebuild.yml")!;
  assert.ok("schedule" in on);
  for (const { images } of [jobs, WORKFLOWS.get("release.yml")!.jobs]) {
    assert.equal(images?.uses, `./${FOLDER}/images.yml`);
    assert.deepEqual(images?.permissions, WORKFLOWS.get("images.yml")!.jobs.image?.permissions);
  }
  const build = WORKFLOWS.get("images.yml")!.jobs.image?.steps?.find(({ uses }) => uses?.includes("build-push-action"));
  assert.equal(build?.with?.["no-cache"], true);
});

Deno.test("images and packages are scanned before a release and each week", () => {
  for (const [workflow, job] of [["ci.yml", "gate"], ["rebuild.yml", "scan"]] as const) {
    const steps = WORKFLOWS.get(workflow)!.jobs[job]?.steps ?? [];
    assert.ok(steps.some(({ uses }) => uses?.startsWith("anchore/scan-action@")), workflow);
  }
});

/** The jobs that must have ended well before one begins. */
function needs(jobs: Record<string, Job>, job: Job): Set<string> {
  const direct = [job.needs ?? []].flat();
  return new Set(direct.flatMap((name) => [name, ...needs(jobs, jobs[name] ?? {})]));
}
