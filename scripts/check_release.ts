/** Whether everything names the version that a tag is about to release: `check_release.ts [v0.1.0]`. Without a tag: `VERSION`. */
import { VERSION } from "../lib/cli/version.ts";

const IMAGE = /ghcr\.io\/deno-k8s-sidecar\/deno-k8s-sidecar:([\w.-]+)/g;
const TAG = /repository: deno-k8s-sidecar\/deno-k8s-sidecar,?\s+tag: ([\w.-]+)/g;
const NEW_TAG = /newTag: (\S+)/g;
const COMPONENT = /components\/sidecar\?ref=v(\S+)/g;
const SCHEMA = /deno-k8s-sidecar\/v([^/]+)\/schema\//g;

/** What is not as the tag says, one line each. */
export function releaseFaults(tag: string): string[] {
  const read = (path: string) => Deno.readTextFileSync(new URL(`../${path}`, import.meta.url));
  const version = tag.replace(/^v/, "");
  const faults: string[] = [];
  const expect = (where: string, tag: string | undefined) => {
    const found = tag?.replace(/-(kiwigrid|debug|kiwigrid-debug)$/, "");
    if (found !== version) faults.push(`${where} says ${found ?? "nothing"}, not ${version}`);
  };
  expect("lib/cli/version.ts", VERSION);
  expect("deno.json", JSON.parse(read("deno.json")).version);
  expect("CHANGELOG.md", /^## (\d\S*)/m.exec(read("CHANGELOG.md"))?.[1]);
  for (const path of ["README.md", ...["docs", "examples", "components"].flatMap(filesBelow)]) {
    const text = read(path);
    for (const pattern of [IMAGE, TAG, NEW_TAG, COMPONENT, SCHEMA]) {
      for (const [, found] of text.matchAll(pattern)) expect(path, found);
    }
  }
  return faults;
}

function filesBelow(directory: string): string[] {
  return [...Deno.readDirSync(new URL(`../${directory}`, import.meta.url))].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesBelow(`${directory}/${name}`) : /\.(ya?ml|md)$/.test(name) ? [`${directory}/${name}`] : []
  );
}

if (import.meta.main) {
  const faults = releaseFaults(Deno.args[0] ?? VERSION);
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) Deno.exit(1);
}
