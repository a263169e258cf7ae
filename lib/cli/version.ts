/** The version that `--version` prints. */
export const VERSION = "0.1.0";

/** `scripts/compile.ts` replaces this with the commit, in the bundle. */
const BUILT_FROM = "@commit@";

/** Empty when run from source. */
export const COMMIT = BUILT_FROM.startsWith("@") ? "" : BUILT_FROM;
