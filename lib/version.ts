/** What `--version` prints; the release build puts the commit in. */
export const VERSION = "0.1.0";
export const COMMIT = "";
