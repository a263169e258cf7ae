/** Re-exports the used part of `@kubernetes/client-node` by name, so that the bundler drops the rest. */
export { KubeConfig } from "@kubernetes/client-node";
