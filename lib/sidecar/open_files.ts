/** The folders of a collection, and the journal of the files in them. */
import type { Config } from "../config/config.ts";
import type { Collection } from "../config/collection_settings.ts";
import type { ConfigFile } from "../files/config_files.ts";
import { Journal, type JournalOptions } from "../files/journal.ts";
import { resolvePath } from "../files/paths.ts";
import { volumeOf } from "../files/volume.ts";

/** FOLDER: absolute and normalised. */
export function folderOf({ files }: Collection): string {
  return resolvePath(Deno.cwd(), files.folder);
}

/** Folders besides FOLDER that annotations may point to: ALLOWED_FOLDERS; else, with DEFAULTS=kiwigrid, the volume. */
export function allowedFoldersOf(collection: Collection): string[] {
  const { allowedFolders, allowsVolume } = collection.files;
  const folder = folderOf(collection);
  const volume = allowsVolume ? volumeOf(folder) : undefined;
  const configured = allowedFolders.map((allowed) => resolvePath("/", allowed));
  return volume === undefined || volume === folder ? configured : [...configured, volume];
}

/** Files that the configuration names, and the credentials: objects must not write to them. */
export function configFilesOf(config: Config): ConfigFile[] {
  const { api, log, collections } = config;
  const named: [what: string, path: string | undefined][] = [
    ...collections.flatMap(filesNamedBy),
    ["CONFIG_FILE", config.configFile],
    ["LOG_CONFIG", log.configFile],
    ...(api.kubeconfig ?? "").split(":").map((path): [string, string] => ["KUBECONFIG", path]),
    ...["token", "ca.crt", "namespace"].map((name): [string, string] => [
      "a file of the service account",
      `${api.serviceAccountDir}/${name}`,
    ]),
  ];
  return named.flatMap(([what, path = ""]) =>
    path === "" || path === "none" ? [] : [{ path: resolvePath(Deno.cwd(), path), what }]
  );
}

function filesNamedBy({ notification, files, requests }: Collection): [what: string, path: string | undefined][] {
  return [
    ["SCRIPT", notification.script?.path],
    ["STATE_FILE", files.stateFile],
    ["REQ_USERNAME_FILE", requests.usernameFile],
    ["REQ_PASSWORD_FILE", requests.passwordFile],
    ["REQ_TOKEN_FILE", requests.tokenFile],
    ["NETRC", requests.netrc],
    ...Object.values(requests.headerFiles).map((path): [string, string] => ["a header's file", path]),
    ...requests.caFiles.map((path): [string, string] => ["REQ_CA_FILE", path]),
  ];
}

export function openJournal(collection: Collection, id: string, log: JournalOptions["log"]): Journal {
  return new Journal({ folder: folderOf(collection), id, stateFile: collection.files.stateFile, log });
}
