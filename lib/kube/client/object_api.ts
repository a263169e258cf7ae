import type { KubeObject } from "../../objects/object.ts";
import type { ObjectRef } from "../../objects/ref.ts";
import type { Source } from "../../objects/source.ts";
import type { ListWatch } from "../watch/watcher.ts";

/** Where objects come from: an API server, or a folder of manifests. */
export interface ObjectApi extends ListWatch {
  /** One object as it is now; `undefined` when it is gone, or when the source no longer selects it. */
  read(source: Source, ref: ObjectRef, signal: AbortSignal): Promise<KubeObject | undefined>;
  /** The namespace that `NAMESPACE` stands for when it is not set. */
  namespace(): Promise<string>;
  close(): void | Promise<void>;
}
