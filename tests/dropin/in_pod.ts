/** A sidecar as in a pod of the story's namespace, with the rights that a chart gives it. */
import type { SidecarProcess } from "../support/sidecar_process.ts";
import type { Settings, Story } from "../support/story.ts";

/** As if in a pod of the story's namespace, as this service account. */
export async function inPod(at: Story, { token }: { token: string }, settings: Settings): Promise<SidecarProcess> {
  const account = await at.serviceAccount(token);
  return await at.start({ ...settings, ...account });
}

/** Warnings and errors, but for what is expected. */
export function complaints(sidecar: SidecarProcess, expected = /^$/): string[] {
  return sidecar.lines.filter(({ level, msg }) => level !== "INFO" && !expected.test(msg)).map(({ text }) => text);
}

/** The charts' ClusterRole. */
export async function clusterRole(
  at: Story,
  user: string,
  resources = ["configmaps", "secrets"],
): Promise<void> {
  const api = "/apis/rbac.authorization.k8s.io/v1";
  const rules = [{ apiGroups: [""], resources, verbs: ["get", "watch", "list"] }];
  await at.request("POST", `${api}/clusterroles`, { metadata: { name: user }, rules });
  await at.request("POST", `${api}/clusterrolebindings`, {
    metadata: { name: user },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: user },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: user }],
  });
}
