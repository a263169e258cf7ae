/** The pod of a workload, and its containers. */
import { entriesOf, type Json, mapOf, type Path, type StreamObject } from "./manifest_stream.ts";

export interface Pod {
  object: StreamObject;
  spec: Json;
  path: Path;
  containers: Container[];
}

export interface Container {
  pod: Pod;
  name: string;
  spec: Json;
  path: Path;
  /** Ends before the others start: an init container that is no native sidecar. */
  isInit: boolean;
}

/** Where kinds of workloads have the specification of their pods: Pod; Deployment, Job and others; CronJob. */
const PLACES = [["spec"], ["spec", "template", "spec"], ["spec", "jobTemplate", "spec", "template", "spec"]];

export function podOf(object: StreamObject): Pod | undefined {
  for (const path of PLACES) {
    const spec = path.reduce<Json>((map, key) => mapOf(map[key]), object.value);
    if (!Array.isArray(spec.containers)) continue;
    const pod: Pod = { object, spec, path, containers: [] };
    for (const list of ["initContainers", "containers"]) {
      for (const [index, container] of entriesOf(spec[list])) {
        pod.containers.push({
          pod,
          name: String(container.name ?? ""),
          spec: container,
          path: [...path, list, index],
          isInit: list === "initContainers" && container.restartPolicy !== "Always",
        });
      }
    }
    return pod;
  }
  return undefined;
}
