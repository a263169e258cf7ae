/** Without the running sidecar nobody knows whether the application was told. */
import type { Explanation } from "./explanation.ts";
import type { Picture } from "./picture.ts";

/** `undefined`: no notification follows the files in question. */
export function unknownNotifications(
  { about, collections: found }: Pick<Explanation, "about" | "collections">,
  { collections, status }: Pick<Picture, "collections" | "status">,
): string | undefined {
  if (status !== undefined) return undefined;
  const isConcerned = (name: string) =>
    about === undefined || found.some((one) => one.name === name && one.isSelected && one.files.length > 0);
  const concerned = collections.map(({ collection }) => collection).filter(({ name }) => isConcerned(name));
  const kinds = (["script", "webhook"] as const).filter((kind) =>
    concerned.some(({ notification }) => notification[kind] !== undefined)
  );
  if (kinds.length === 0) return undefined;
  return `whether the ${kinds.join(" and the ")} succeeded: see the sidecar's log, or let explain ask the sidecar ` +
    "(HEALTH_PORT, LIVENESS, STATUS_PAGE)";
}
