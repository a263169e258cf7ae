/** What is in `examples/`, read. */
import { parse, parseAllDocuments } from "yaml";
import type { KubernetesObject } from "../support/openapi.ts";

/** Without digest or tag. */
export const IMAGE = "ghcr.io/deno-k8s-sidecar/deno-k8s-sidecar";

const root = new URL("../../examples/", import.meta.url);

export interface EnvVar {
  name: string;
  value?: string;
  valueFrom?: { fieldRef?: { fieldPath: string } };
}

export interface Container {
  name: string;
  image: string;
  restartPolicy?: string;
  command?: string[];
  env?: EnvVar[];
}

export interface PodSpec {
  containers: Container[];
  initContainers?: Container[];
}

/** Every Kubernetes object, by the file that it is in; without those that are complete only with the component. */
export function exampleObjects(): Map<string, KubernetesObject[]> {
  const files = yamlFiles("").filter((path) =>
    !/^component\/|(-values|-rules|kustomization|(^|\/)config)\.yaml$/.test(path)
  );
  return new Map(files.map((path) => [
    path,
    parseAllDocuments(read(path)).map((document) => document.toJS()).filter((object) => object !== null),
  ]));
}

/** The Helm values, by file. */
export function exampleValues(): Map<string, unknown> {
  return new Map(
    yamlFiles("").filter((path) => path.endsWith("-values.yaml")).map((path) => [path, parse(read(path))]),
  );
}

/** An example as it is written. */
export function exampleText(path: string): string {
  return read(path);
}

/** The pod that an object describes, if it does. */
export function podSpecOf(object: KubernetesObject): PodSpec | undefined {
  if (object.kind === "Pod") return object.spec;
  return ["Deployment", "Job"].includes(object.kind) ? object.spec.template.spec : undefined;
}

/** The containers that are ours. */
export function sidecarsOf({ containers, initContainers = [] }: PodSpec): Container[] {
  return [...initContainers, ...containers].filter(({ image }) => image.startsWith(`${IMAGE}:`));
}

/** A container's environment, in a pod of this namespace. */
export function environmentOf({ env = [] }: Container, namespace: string): Record<string, string> {
  return Object.fromEntries(env.map(({ name, value, valueFrom }) => {
    const field = valueFrom?.fieldRef?.fieldPath;
    if (valueFrom !== undefined && field !== "metadata.namespace") throw new Error(`${name} comes from ${field}`);
    return [name, value ?? namespace];
  }));
}

function yamlFiles(directory: string): string[] {
  return [...Deno.readDirSync(new URL(directory, root))].flatMap(({ name, isDirectory }) =>
    isDirectory ? yamlFiles(`${directory}${name}/`) : name.endsWith(".yaml") ? [`${directory}${name}`] : []
  ).sort();
}

function read(path: string): string {
  return Deno.readTextFileSync(new URL(path, root));
}
