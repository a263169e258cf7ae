/** Writes what is in the binary as a CycloneDX document, `dist/k8s-sidecar.cdx.json`: Deno, and the packages of npm. */
import { VERSION } from "../lib/cli/version.ts";

const root = new URL("../", import.meta.url);

interface Graph {
  modules: { npmPackage?: string }[];
  /** Those of the whole lock file. */
  npmPackages: Record<string, { name: string; version: string; dependencies: string[] }>;
}

/** @param denoVersion what the binary is compiled with */
export async function sbom(denoVersion: string): Promise<Record<string, unknown>> {
  const args = ["info", "--json", "main.ts"];
  const { success, stdout } = await new Deno.Command(Deno.execPath(), { args, cwd: root, stderr: "inherit" }).output();
  if (!success) throw new Error("deno info failed");
  const { modules, npmPackages }: Graph = JSON.parse(new TextDecoder().decode(stdout));
  const used = new Set(modules.flatMap(({ npmPackage }) => npmPackage ?? []));
  for (const id of used) npmPackages[id]?.dependencies.forEach((dependency) => used.add(dependency));
  const lock = JSON.parse(await Deno.readTextFile(new URL("deno.lock", root))).npm;
  const packages = Object.entries(npmPackages).filter(([id]) => used.has(id)).map(([id, { name, version }]) =>
    component(name, version, lock[id])
  );
  const purl = `pkg:github/deno-k8s-sidecar/deno-k8s-sidecar@v${VERSION}`;
  const deno = `pkg:github/denoland/deno@v${denoVersion}`;
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: { component: { type: "application", name: "k8s-sidecar", version: VERSION, "bom-ref": purl, purl } },
    components: [
      { type: "platform", name: "deno", version: denoVersion, "bom-ref": deno, purl: deno },
      ...packages,
    ],
  };
}

function component(name: string, version: string, locked: { integrity: string } | undefined): unknown {
  const purl = `pkg:npm/${name.replace("@", "%40")}@${version}`;
  const [, hash] = locked?.integrity.split("-") ?? [];
  if (hash === undefined) throw new Error(`deno.lock has no integrity for ${name}@${version}`);
  const content = Uint8Array.fromBase64(hash).toHex();
  return { type: "library", name, version, "bom-ref": purl, purl, hashes: [{ alg: "SHA-512", content }] };
}

if (import.meta.main) {
  await Deno.mkdir(new URL("dist", root), { recursive: true });
  const text = JSON.stringify(await sbom(Deno.version.deno), null, 2);
  await Deno.writeTextFile(new URL("dist/k8s-sidecar.cdx.json", root), `${text}\n`);
}
