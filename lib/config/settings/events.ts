/** The settings of the section "Events and finalizers". */
import { boolean } from "../setting_types.ts";
import { inSection } from "../setting.ts";

const events = inSection("Events and finalizers");

export const EVENTS_SETTINGS = {
  EVENT_LOGGING: events.withDefault(
    boolean,
    "false",
    "Post Events on objects (`kubectl get events`) about files that were written, removed or refused. Needs RBAC `events: create, patch`",
  ),
  FINALIZERS: events.withDefault(
    boolean,
    "false",
    "Put a finalizer on selected objects, so that an object is deleted only after its files are. Needs RBAC `patch`",
  ),
  FINALIZER_NAME: events.withDefault(
    {
      accepts: "a qualified name such as example.com/files",
      parse: (text) =>
        /^[a-z0-9]([-.a-z0-9]*[a-z0-9])?\/[A-Za-z0-9]([-._A-Za-z0-9]{0,61}[A-Za-z0-9])?$/.test(text) ? text : undefined,
    },
    "deno-k8s-sidecar/files",
    "Name of the finalizer; must differ between sidecars that select the same objects",
  ),
};
