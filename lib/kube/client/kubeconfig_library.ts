/** What is used of `@kubernetes/client-node`, named so that a bundle takes along this part of it and not the whole. */
export { KubeConfig } from "@kubernetes/client-node";
