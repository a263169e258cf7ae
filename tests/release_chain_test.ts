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
  const calls = Object.entries(jobs).filter(([, { uses }]) => uses !== undefined);
  assert.deepEqual(calls.map(([, { uses }]) => uses).sort(), [`./${FOLDER}/ci.yml`, `./${FOLDER}/e2e.yml`]);
  for (const called of ["ci.yml", "e2e.yml"]) assert.ok("workflow_call" in WORKFLOWS.get(called)!.on, called);
  for (const [name, job] of Object.entries(jobs)) {
    if (job.uses !== undefined) continue;
    for (const [call] of calls) assert.ok(needs(jobs, job).has(call), `${name} waits for ${call}`);
  }
});

Deno.test("jobs get the rights that they need, and no others by default", () => {
  for (const [name, { permissions }] of WORKFLOWS) assert.deepEqual(permissions, { contents: "read" }, name);
});

Deno.test("images and binaries are attested", () => {
  const { binaries, images } = WORKFLOWS.get("release.yml")!.jobs;
  for (const job of [binaries, images]) {
    assert.equal(job?.permissions?.attestations, "write");
    assert.ok(job?.steps?.some(({ uses }) => uses?.startsWith("actions/attest-build-provenance@")));
  }
});

/** The jobs that must have ended well before one begins. */
function needs(jobs: Record<string, Job>, job: Job): Set<string> {
  const direct = [job.needs ?? []].flat();
  return new Set(direct.flatMap((name) => [name, ...needs(jobs, jobs[name] ?? {})]));
}
