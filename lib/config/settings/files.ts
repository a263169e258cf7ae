/** The settings of the section "Files". */
import { anyAsFalse, notOctalAsDefault } from "../kiwigrid_values.ts";
import {
  absolutePath,
  boolean,
  byteLimit,
  bytes,
  countFromOne,
  fileMode,
  listOf,
  oneOf,
  seconds,
  text,
} from "../setting_types.ts";
import { inSection } from "../setting.ts";
import { parseEntry } from "../../http/allowed_hosts.ts";

const files = inSection("Files");

export const FILES_SETTINGS = {
  FOLDER: files.optional(text, "Folder that files are written to; created if missing", {
    key: "folder",
    form: "path",
    shownDefault: "required",
  }),
  FOLDER_ANNOTATION: files.withDefault(
    text,
    "k8s-sidecar-target-directory",
    "Annotation that names another folder for the files of an object; a relative path is under `FOLDER`. Changing or removing it moves the files",
    { key: "folderAnnotation" },
  ),
  ALLOWED_FOLDERS: files.optional(
    listOf("absolute paths", /^\/([^,]*[^,\s])?$/),
    "Folders besides `FOLDER`, separated by commas, that an annotation may point into. An object that points elsewhere is refused",
    { key: "allowedFolders" },
  ),
  DEFAULT_FILE_MODE: files.withDefault(fileMode, "644", "Mode of the files, regardless of the umask", {
    key: "fileMode",
    kiwigridReads: notOctalAsDefault,
  }),
  UNIQUE_FILENAMES: files.withDefault(
    boolean,
    "false",
    "Name files `namespace_<namespace>.<configmap|secret>_<name>.<key>`, so that objects have files of their own. Two objects of one namespace can still claim a path: `a` with the key `b.c`, and `a.b` with `c`",
    { key: "uniqueFilenames", kiwigridReads: anyAsFalse },
  ),
  MAX_FILES_PER_OBJECT: files.withDefault(
    countFromOne,
    "5000",
    "An object with more keys is refused; its last accepted files stay",
    { key: "maxFilesPerObject" },
  ),
  ENABLE_5XX: files.withDefault(boolean, "false", "For `*.url` keys, accept the body of a 5xx response as content", {
    key: "urls.accept5xx",
    kiwigridReads: anyAsFalse,
  }),
  URL_MAX_BYTES: files.withDefault(
    bytes,
    "64Mi",
    "Maximum size of the content of a `*.url` key, in bytes or with `Ki`, `Mi` or `Gi`",
    { key: "urls.maxBytes" },
  ),
  URL_MAX_BYTES_PER_OBJECT: files.withDefault(
    byteLimit,
    "256Mi",
    "Maximum total size of the files from the `*.url` keys of one object, after unpacking. A download beyond it is refused; its last accepted file stays. `0` for no limit",
    { key: "urls.maxBytesPerObject" },
  ),
  URL_MAX_BYTES_TOTAL: files.withDefault(
    byteLimit,
    "1Gi",
    "The same for all `*.url` keys together. A refused download is tried again when files of others were removed. `0` for no limit",
    { key: "urls.maxBytesTotal" },
  ),
  URL_ALLOWED_HOSTS: files.optional(
    listOf("host names, *.example.com, addresses, CIDRs or *, each with a port if need be", isAllowedHost),
    "Hosts that `*.url` keys may ask, redirects included, separated by commas: `example.com`, `*.example.com`, `10.0.0.0/8`, `host:port`; `*` for any. A CIDR admits addresses, a name any address that it has. A URL of another host is refused",
    { key: "urls.allowedHosts", shownDefault: "any but this pod, link-local addresses and the API server" },
  ),
  URL_TIMEOUT: files.withDefault(
    seconds({ min: 0.1 }),
    "60",
    "Maximum seconds for the download of a `*.url` key, including the retries of `REQ_RETRY_*`; with `METHOD=LIST`, for all downloads together",
    { key: "urls.timeout" },
  ),
  URL_MAX_OPEN: files.withDefault(
    countFromOne,
    "4",
    "Downloads of `*.url` keys that run at one time, slow ones included. One namespace gets all of them but one",
    { key: "urls.maxOpen" },
  ),
  RESYNC_PERIOD: files.withDefault(
    seconds(),
    "600",
    "Seconds between full relists, which also restore files that were changed by others; `0` for never",
  ),
  CHECK_PERIOD: files.withDefault(
    seconds(),
    "60",
    "Seconds between two checks of the disk: an object whose file is missing or was changed by someone else is read again, and the file is restored. Sends no request to the API server unless a file differs; `0` for never",
  ),
  STATE_FILE: files.optional(
    { accepts: "an absolute path, or none", parse: (text) => text === "none" ? text : absolutePath.parse(text) },
    "File that records which files are ours, so that the files of objects deleted while the sidecar was down are removed; `none` for no record",
    {
      key: "stateFile",
      form: "pathOrNone",
      shownDefault: "`FOLDER/..k8s-sidecar-<hash of the selection>/state/record`",
    },
  ),
  IGNORE_ALREADY_PROCESSED: files.optional(
    boolean,
    "Accepted and ignored: unchanged objects are never processed again",
    { kiwigridReads: anyAsFalse },
  ),
  FOLDER_PER_NAMESPACE: files.withDefault(
    boolean,
    "false",
    "Write files to `FOLDER/<namespace>/…`. A relative annotation is below that folder and may not leave it; an absolute one may point to any allowed folder",
    { key: "folderPerNamespace", kiwigridReads: anyAsFalse },
  ),
  COLLISIONS: files.withDefault(
    oneOf(["oldest", "newest"]),
    "oldest",
    "Which of several objects that claim a path gets it: the `oldest` or the `newest` by `creationTimestamp`, then the first by namespace, name and kind. The same decides between a file and a folder of its name. `newest` suits names with a hash suffix, as kustomize makes them",
    { key: "collisions", kiwigrid: "newest" },
  ),
  REMOVE_DELAY: files.withDefault(
    seconds(),
    "0",
    "Seconds that the files of a deleted object stay. An object that is made again within that time changes nothing; another object that wants a file gets it at once. A restart begins it again. Has no effect with `FINALIZERS` and with `METHOD=LIST`",
    { key: "removeDelay" },
  ),
  ATOMIC_WRITES: files.withDefault(
    boolean,
    "true",
    "`false` rewrites changed files in place, which a reader may see half written. For applications that keep a file open, and for single files mounted by `subPath`",
    { key: "atomicWrites" },
  ),
  DECOMPRESS: files.withDefault(
    boolean,
    "false",
    "Unpack gzip archives in keys that end in `.gz`, and those that the URL of a key ending in `.gz.url` serves; the file loses the endings. The unpacked size is limited by `URL_MAX_BYTES`. A broken archive is refused, and the last accepted file is kept",
    { key: "decompress" },
  ),
};

function isAllowedHost(item: string): boolean {
  return parseEntry(item) !== undefined;
}
