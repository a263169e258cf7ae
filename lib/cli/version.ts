/** What `--version` prints. */
export const VERSION = "0.1.0";

/** The build puts the commit here, in its copy of this file: `scripts/compile.ts`. */
const BUILT_FROM = "@commit@";

/** Empty when run from source. */
export const COMMIT = BUILT_FROM.startsWith("@") ? "" : BUILT_FROM;
