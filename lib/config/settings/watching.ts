/** The settings of the section "Watching". */
import { anyAsDefault, anyAsFalse } from "../kiwigrid_values.ts";
import { absolutePath, boolean, oneOf, seconds, text, wholeSeconds } from "../setting_types.ts";
import { inSection } from "../setting.ts";

const watching = inSection("Watching");

export const WATCHING_SETTINGS = {
  METHOD: watching.withDefault(
    oneOf(["WATCH", "LIST", "SLEEP"]),
    "WATCH",
    "`WATCH` follows changes; `LIST` lists once and exits; `SLEEP` lists every `SLEEP_TIME` seconds",
    { kiwigridReads: anyAsDefault },
  ),
  SLEEP_TIME: watching.withDefault(seconds({ min: 0.1 }), "60", "Seconds between lists with `METHOD=SLEEP`", {
    kiwigridReads: anyAsDefault,
  }),
  WATCH_SERVER_TIMEOUT: watching.withDefault(
    wholeSeconds,
    "600",
    "Seconds after which the API server ends a watch; sent as `timeoutSeconds`",
    { kiwigrid: "60", kiwigridReads: anyAsDefault },
  ),
  WATCH_CLIENT_TIMEOUT: watching.withDefault(
    seconds({ min: 0.1 }),
    "660",
    "Seconds after which the client ends a watch and resumes it. A dead connection is detected within this time",
    { kiwigrid: "66", kiwigridReads: anyAsDefault },
  ),
  ERROR_THROTTLE_SLEEP: watching.withDefault(
    seconds({ min: 0.01 }),
    "1",
    "Delay before the first retry, in seconds; doubles up to 30 with jitter, and is reset by success",
    { kiwigridReads: anyAsDefault },
  ),
  KUBECONFIG: watching.optional(
    text,
    "Kubeconfig file, or several separated by `:`; supports every auth method of `@kubernetes/client-node`. In a pod with a service account, files that do not exist are ignored with a warning",
    { shownDefault: "in-cluster where there is a service account, else `~/.kube/config`" },
  ),
  SERVICE_ACCOUNT_DIR: watching.withDefault(
    absolutePath,
    "/var/run/secrets/kubernetes.io/serviceaccount",
    "Folder of `token`, `ca.crt` and `namespace`, which make the in-cluster credentials together with `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT`",
  ),
  SKIP_TLS_VERIFY: watching.withDefault(boolean, "false", "Do not verify the API server's certificate", {
    kiwigridReads: anyAsFalse,
  }),
  DISABLE_X509_STRICT_VERIFICATION: watching.optional(
    boolean,
    "Accepted and ignored: old cluster CAs work without it",
    { kiwigridReads: anyAsFalse },
  ),
};
