/** The settings of one collection: one selection, one folder, one notification. */
import type { CredentialsSource } from "../http/basic_auth.ts";
import type { RetryLimits } from "../http/retry.ts";
import type { Kind } from "../objects/kind.ts";
import { given } from "../runtime/given.ts";
import { readLabel } from "./label_and_value.ts";
import type { SettingValues } from "./settings.ts";

/** The objects of a collection. */
export interface Selection {
  /** Label selector in the API's syntax; `undefined` if objects are watched by name. */
  labelSelector?: string;
  /** Objects to watch by name instead of by label. */
  names: readonly NamedObject[];
  kinds: readonly Kind[];
  /** `OWN` is the namespace of the credentials. */
  namespaces: "ALL" | "OWN" | readonly string[];
  /** Label selector for namespaces, when all are watched. */
  namespaceSelector?: string;
  /** Names of namespaces to leave out; `*` stands for any characters. */
  namespaceExclude: readonly string[];
}

export interface NamedObject {
  name: string;
  kind?: Kind;
  namespace?: string;
}

/** The files of a collection. */
export interface FileSettings {
  folder: string;
  folderAnnotation: string;
  allowedFolders: readonly string[];
  /** The whole volume of the folder is allowed, too. */
  allowsVolume: boolean;
  folderPerNamespace: boolean;
  /** Which object wins a path that several objects claim, by creation. */
  collisions: "oldest" | "newest";
  /** Seconds between the deletion of an object and the removal of its files. */
  removeDelay: number;
  /** `false`: files are rewritten in place. */
  atomicWrites: boolean;
  /** Keys that end in `.gz` are unpacked. */
  decompress: boolean;
  /** Permission bits. */
  mode: number;
  uniqueFilenames: boolean;
  /** An object with more keys is refused. */
  maxFilesPerObject: number;
  /** Path of the record of owned files; `undefined` for the default inside the folder. */
  stateFile?: string | "none";
  /** Maximum size of the content of a `.url` key, in bytes. */
  urlMaxBytes: number;
  urlMaxBytesPerObject: number;
  urlMaxBytesTotal: number;
  enable5xx: boolean;
}

/** How the application is notified of changed files. Times are in seconds. */
export interface NotificationSettings {
  quietPeriod: number;
  maxWait: number;
  skipInit: boolean;
  webhook?: { url: string; method: "GET" | "POST"; payload?: string };
  script?: { path: string; timeout: number };
}

/** HTTP requests to all servers other than the API server. Times are in seconds. */
export interface RequestSettings extends CredentialsSource {
  retry: RetryLimits;
  timeout: number;
  encoding: "latin1" | "utf-8";
  tokenFile?: string;
  /** The bearer token, unless it is in `tokenFile`. */
  token?: string;
  headers: Readonly<Record<string, string>>;
  /** Files that hold the value of a header, by its name. */
  headerFiles: Readonly<Record<string, string>>;
  /** PEM files with CAs to trust besides the system's. */
  caFiles: readonly string[];
  netrc?: string;
  skipTlsVerify: boolean;
  /** Hosts that `.url` keys may ask; `undefined` for any but this pod, link-local addresses and the API server. */
  urlAllowedHosts?: readonly string[];
  /** For one download in all. */
  urlTimeout: number;
  /** Downloads that run at one time. */
  urlMaxOpen: number;
}

/** One selection, one folder, one notification. */
export interface Collection {
  /** Unique in the process. */
  name: string;
  /** What happens to its files when it leaves CONFIG_FILE. */
  onRemove: "delete" | "keep";
  /** Other collections that say so, too, may have the same folder, or one inside of it. */
  sharedFolder: boolean;
  selection: Selection;
  files: FileSettings;
  notification: NotificationSettings;
  requests: RequestSettings;
}

/** The name of the collection that the environment makes. */
export const ENVIRONMENT_COLLECTION = "default";

/** Values from the command line; they take precedence over the environment. */
export interface Flags {
  reqUsernameFile?: string;
  reqPasswordFile?: string;
}

/** What only CONFIG_FILE says about a collection. */
export interface FileOnlySettings {
  name: string;
  onRemove: "delete" | "keep";
  sharedFolder: boolean;
  token?: string;
  headerFiles: Readonly<Record<string, string>>;
}

const IN_ENVIRONMENT: FileOnlySettings = {
  name: ENVIRONMENT_COLLECTION,
  onRemove: "delete",
  sharedFolder: false,
  headerFiles: {},
};

/** The collection that the settings of Selection, Files and Telling the application describe. */
export function collectionOf(
  values: SettingValues,
  env: Record<string, string | undefined>,
  flags: Flags,
  { name, onRemove, sharedFolder, token, headerFiles }: FileOnlySettings = IN_ENVIRONMENT,
): Collection {
  return {
    ...{ name, onRemove, sharedFolder },
    selection: {
      ...given("labelSelector", values.RESOURCE_NAME === undefined ? readLabel(values).selector : undefined),
      names: (values.RESOURCE_NAME ?? []).map(parseNamedObject),
      kinds: KINDS_OF[values.RESOURCE],
      namespaces: values.NAMESPACE ?? "OWN",
      ...given("namespaceSelector", values.NAMESPACE_SELECTOR),
      namespaceExclude: values.NAMESPACE_EXCLUDE ?? [],
    },
    files: {
      folder: values.FOLDER ?? "",
      folderAnnotation: values.FOLDER_ANNOTATION,
      allowedFolders: values.ALLOWED_FOLDERS ?? [],
      allowsVolume: values.ALLOWED_FOLDERS === undefined && values.DEFAULTS === "kiwigrid",
      folderPerNamespace: values.FOLDER_PER_NAMESPACE,
      collisions: values.COLLISIONS,
      removeDelay: values.REMOVE_DELAY,
      atomicWrites: values.ATOMIC_WRITES,
      decompress: values.DECOMPRESS,
      mode: values.DEFAULT_FILE_MODE,
      uniqueFilenames: values.UNIQUE_FILENAMES,
      maxFilesPerObject: values.MAX_FILES_PER_OBJECT,
      ...given("stateFile", values.STATE_FILE),
      urlMaxBytes: values.URL_MAX_BYTES,
      urlMaxBytesPerObject: values.URL_MAX_BYTES_PER_OBJECT,
      urlMaxBytesTotal: values.URL_MAX_BYTES_TOTAL,
      enable5xx: values.ENABLE_5XX,
    },
    notification: {
      quietPeriod: values.NOTIFY_QUIET_PERIOD,
      maxWait: values.NOTIFY_MAX_WAIT,
      skipInit: values.REQ_SKIP_INIT,
      ...given(
        "webhook",
        values.REQ_URL === undefined
          ? undefined
          : { url: values.REQ_URL, method: values.REQ_METHOD, ...given("payload", values.REQ_PAYLOAD) },
      ),
      ...given(
        "script",
        values.SCRIPT === undefined ? undefined : { path: values.SCRIPT, timeout: values.SCRIPT_TIMEOUT },
      ),
    },
    requests: {
      retry: {
        total: values.REQ_RETRY_TOTAL,
        connect: values.REQ_RETRY_CONNECT,
        read: values.REQ_RETRY_READ,
        backoffFactor: values.REQ_RETRY_BACKOFF_FACTOR,
      },
      timeout: values.REQ_TIMEOUT,
      ...given("username", values.REQ_USERNAME),
      ...given("password", values.REQ_PASSWORD),
      ...given("usernameFile", flags.reqUsernameFile ?? values.REQ_USERNAME_FILE),
      ...given("passwordFile", flags.reqPasswordFile ?? values.REQ_PASSWORD_FILE),
      encoding: values.REQ_BASIC_AUTH_ENCODING,
      ...given("tokenFile", values.REQ_TOKEN_FILE),
      ...given("token", token),
      headers: values.REQ_HEADERS ?? {},
      headerFiles,
      caFiles: [values.REQ_CA_FILE, env.REQUESTS_CA_BUNDLE, env.SSL_CERT_FILE].filter((file) => !!file) as string[],
      ...given("netrc", values.NETRC),
      skipTlsVerify: values.REQ_SKIP_TLS_VERIFY,
      ...given("urlAllowedHosts", values.URL_ALLOWED_HOSTS),
      urlTimeout: values.URL_TIMEOUT,
      urlMaxOpen: values.URL_MAX_OPEN,
    },
  };
}

const KINDS_OF: Record<SettingValues["RESOURCE"], readonly Kind[]> = {
  configmap: ["ConfigMap"],
  secret: ["Secret"],
  both: ["ConfigMap", "Secret"],
};

/** `name`, `kind/name` or `namespace/kind/name`. */
function parseNamedObject(item: string): NamedObject {
  const [name = "", kind, namespace] = item.split("/").reverse();
  return {
    name,
    ...given("kind", kind === undefined ? undefined : kindOf(kind)),
    ...given("namespace", namespace),
  };
}

function kindOf(word: string): Kind {
  return word.toLowerCase().startsWith("secret") ? "Secret" : "ConfigMap";
}
