/** What to do about a refusal or a failure, by its message. */
const CURES: readonly (readonly [RegExp, string])[] = [
  [/points outside .* \(set ALLOWED_FOLDERS/, "correct the annotation, or add its folder to ALLOWED_FOLDERS"],
  [/FOLDER_PER_NAMESPACE/, "make the annotation a path below the folder of its namespace, or an absolute one"],
  [/annotation /, "correct the annotation"],
  [/MAX_FILES_PER_OBJECT/, "split the object, or raise MAX_FILES_PER_OBJECT"],
  [/cannot be a file name: /, "shorten the key or the name of the object"],
  [/cannot be a file name/, "rename the key"],
  [/is not (text|base64)/, "correct the value"],
  [
    /leads to .* none of the allowed folders/,
    "remove the symlink on the way, or add where it leads to ALLOWED_FOLDERS",
  ],
  [/symlink to nowhere/, "remove the symlink"],
  [/belongs to the sidecar/, "rename the key, or move the file that the setting names"],
  [/a directory is in the way/, "remove the directory, or rename the key"],
  [/a part of the path is a file/, "remove the file in the way, or correct the annotation"],
  [/no permission/, "give the pod an fsGroup or runAsUser that may write there"],
  [/URL_ALLOWED_HOSTS/, "use another host, or add this one to URL_ALLOWED_HOSTS"],
  [/archive|unpacked/, "correct the archive, or raise URL_MAX_BYTES if it is only too large"],
];

export function cureOf(message: string): string {
  return CURES.find(([pattern]) => pattern.test(message))?.[1] ?? "correct the object";
}

/** For a path that another object has. */
export function cureOfCollision(isBlocked: boolean): string {
  return isBlocked
    ? "rename a key or change a target folder: a path cannot be a file and a folder"
    : "rename a key, set UNIQUE_FILENAMES=true, or choose the winner by age with COLLISIONS";
}
