/** Which containers are sidecars, and what they would start with. */
import type { Flags } from "../../config/collection_settings.ts";
import type { Fault } from "../../config/read_settings.ts";
import { parseCommandLine } from "../command_line.ts";
import { assumedEnv, type ContainerEnv, containerEnv } from "./container_env.ts";
import type { Container } from "./pod.ts";

export interface SidecarContainer {
  container: Container;
  variables: ContainerEnv;
  /** With stand-ins for unknown values. */
  env: Record<string, string>;
  flags: Flags;
  /** Faults of the arguments. */
  faults: Fault[];
  /** `remove-finalizers` */
  isRemoval: boolean;
}

/** Images of this project and of those that it replaces. */
const IMAGE = /(^|\/)(deno-|kopf-)?k8s-sidecar(:|@|$)/;

/** The image of the Dockerfile's target `kiwigrid` sets DEFAULTS. */
const KIWIGRID_TAG = /:[^/@]*-kiwigrid(-debug)?(@|$)/;

/** `undefined` if the container is none, or runs a command that uses no settings. */
export function sidecarContainer(container: Container): SidecarContainer | undefined {
  const image = imageOf(container);
  const variables = containerEnv(container);
  const isSet = (name: string) => !!variables.known.get(name) || variables.unknown.has(name);
  const hasCollection = (isSet("LABEL") || isSet("RESOURCE_NAME")) && isSet("FOLDER");
  const args = argsOf(container);
  if (!hasCollection && !isSet("CONFIG_FILE") && !IMAGE.test(image)) return undefined;
  const { command, faults } = parseCommandLine(args);
  if (command.run !== "sidecar" && command.run !== "remove-finalizers") return undefined;
  const env = assumedEnv(variables);
  if (KIWIGRID_TAG.test(image)) env.DEFAULTS ||= "kiwigrid";
  return { container, variables, env, flags: command.flags, faults, isRemoval: command.run === "remove-finalizers" };
}

/** Whether the image is the one that ours replaces. */
export function isOfKiwigrid(container: Container): boolean {
  return /(^|\/)kiwigrid\/k8s-sidecar(:|@|$)/.test(imageOf(container));
}

function imageOf({ spec }: Container): string {
  return typeof spec.image === "string" ? spec.image : "";
}

/** Those of our program; none if another program is run, or if the kubelet puts values into them. */
function argsOf({ spec: { command, args } }: Container): string[] {
  if (command !== undefined || !Array.isArray(args)) return [];
  const texts = args.map(String);
  return texts.some((text) => text.includes("$(")) ? [] : texts;
}
