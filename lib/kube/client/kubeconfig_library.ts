/** The part of `@kubernetes/client-node` that is used here, exported by name so that a bundle leaves the rest out. */
export { KubeConfig } from "@kubernetes/client-node";
