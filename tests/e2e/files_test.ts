/** Objects become files, and files follow their objects. */
import assert from "node:assert/strict";
import { assertFolderEquals, eventually } from "../support/oracle.ts";
import { stories } from "../support/story.ts";

const story = stories();
const ANNOTATION = "k8s-sidecar-target-directory";

story("data of ConfigMaps and Secrets becomes files, with the mode that is asked for", async (at) => {
  await at.create("ConfigMap", "early", { data: { "early.yaml": "a: 1\n", "ä": "" }.constructor === Object ? { "early.yaml": "a: 1\n" } : {} });
});
