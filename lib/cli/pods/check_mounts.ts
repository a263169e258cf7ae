/** Whether the files of a container get anywhere: its folder, the volumes, and who else mounts them. */
import { isInside } from "../../files/paths.ts";
import type { Findings } from "./findings.ts";
import { entriesOf, type Json, mapOf, type Path, type StreamObject } from "./manifest_stream.ts";
import type { Container, Pod } from "./pod.ts";

interface Mount {
  volume: string;
  mountPath: string;
  subPath: string | undefined;
  readOnly: boolean;
  path: Path;
}

/** Volumes that no container can write to. */
const READ_ONLY = ["configMap", "secret", "downwardAPI", "projected", "image"];

/** @param setting for messages: `FOLDER="/files"` */
export function checkFolder(folder: string, setting: string, at: Path, container: Container, findings: Findings): void {
  if (!folder.startsWith("/")) return;
  const mount = mountOf(folder, container);
  if (mount === undefined) {
    const isReadOnly = mapOf(container.spec.securityContext).readOnlyRootFilesystem === true;
    const text = `${setting} is on no volume`;
    if (isReadOnly) findings.fault(container, at, `${text}, and the root file system is read-only: mount one there`);
    else findings.warn(container, at, `${text}, so no other container sees the files: mount one there`);
    return;
  }
  const volume = volumesOf(container.pod).get(mount.volume);
  // checkVolumes() reports it
  if (volume === undefined) return;
  const type = READ_ONLY.find((type) => volume[type] !== undefined);
  if (mount.readOnly) findings.fault(container, mount.path, `${setting} is on a volume that is mounted readOnly`);
  else if (type !== undefined) {
    findings.fault(container, mount.path, `${setting} is on a ${type} volume, which is read-only: use an emptyDir`);
  }
  const isPrivate = volume.emptyDir !== undefined || volume.ephemeral !== undefined;
  const isShared = container.pod.containers.some((other) =>
    other !== container && mountsOf(other).some(({ volume }) => volume === mount.volume)
  );
  if (isPrivate && !isShared) {
    const reason = `no other container mounts the volume "${mount.volume}", so none sees the files`;
    findings.warn(container, mount.path, `${setting}: ${reason}`);
  }
}

/** Mounts of volumes that the pod does not have: an API server refuses such a pod. */
export function checkVolumes(container: Container, findings: Findings): void {
  const volumes = volumesOf(container.pod);
  for (const { volume, path } of mountsOf(container)) {
    if (volumes.has(volume)) continue;
    findings.fault(container, path, `the volume "${volume}" is mounted, but the pod has no such volume`);
  }
}

/** The text of a file of a ConfigMap in the stream. */
export interface MountedText {
  configMap: StreamObject;
  key: string;
  text: string | undefined;
}

/** `undefined` if the file is not in a ConfigMap of the stream. */
export function mountedText(
  file: string,
  container: Container,
  configMaps: readonly StreamObject[],
): MountedText | undefined {
  const mount = mountOf(file, container);
  const volume = mount === undefined ? undefined : volumesOf(container.pod).get(mount.volume);
  if (mount === undefined || volume === undefined) return undefined;
  const inMount = file.slice(mount.mountPath.length).replace(/^\/+/, "");
  const inVolume = [mount.subPath, inMount].filter((part) => part).join("/");
  const sources = volume.configMap === undefined
    ? entriesOf(mapOf(volume.projected).sources).map(([, source]) => source.configMap)
    : [volume.configMap];
  for (const source of sources.map(mapOf)) {
    const { namespace } = container.pod.object;
    const configMap = configMaps.find((one) =>
      one.name === source.name && (one.namespace ?? namespace) === (namespace ?? one.namespace)
    );
    if (configMap === undefined) continue;
    const items = entriesOf(source.items);
    const item = items.find(([, { path }]) => path === inVolume)?.[1];
    const key = items.length === 0 ? inVolume : String(item?.key ?? inVolume);
    const text = items.length > 0 && item === undefined ? undefined : mapOf(configMap.value.data)[key];
    // Another source of a projected volume may have the file
    if (typeof text !== "string" && sources.length > 1) continue;
    return { configMap, key, text: typeof text === "string" ? text : undefined };
  }
  return undefined;
}

/** The mount that a path is in. */
function mountOf(path: string, container: Container): Mount | undefined {
  const around = mountsOf(container).filter(({ mountPath }) => isInside(mountPath, path));
  return around.sort((a, b) => b.mountPath.length - a.mountPath.length)[0];
}

function mountsOf({ spec, path }: Container): Mount[] {
  return entriesOf(spec.volumeMounts).map(([index, { name, mountPath, subPath, readOnly }]) => ({
    volume: String(name),
    mountPath: String(mountPath).replace(/(?<=.)\/+$/, ""),
    subPath: typeof subPath === "string" ? subPath : undefined,
    readOnly: readOnly === true,
    path: [...path, "volumeMounts", index],
  }));
}

function volumesOf({ spec, object }: Pod): Map<string, Json> {
  const claims = entriesOf(mapOf(object.value.spec).volumeClaimTemplates).map(([, claim]) =>
    mapOf(claim.metadata).name
  );
  return new Map([
    ...entriesOf(spec.volumes).map(([, volume]) => [String(volume.name), volume] as const),
    ...claims.map((name) => [String(name), { persistentVolumeClaim: {} }] as const),
  ]);
}
