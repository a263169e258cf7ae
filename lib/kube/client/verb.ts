/** Kubernetes' verbs of requests, as in its RBAC rules. `get` stands for paths without objects, too, such as `/version`. */
export const VERBS = ["get", "list", "watch", "create", "patch"] as const;

export type Verb = typeof VERBS[number];

/** The path of all objects of a kind, or of those in a namespace. */
const COLLECTION = /^\/(api\/[^/]+|apis\/[^/]+\/[^/]+)\/(namespaces\/[^/]+\/)?[^/]+$/;

/** @param path from the root, query included */
export function verbOf(method: "GET" | "POST" | "PATCH", path: string): Verb {
  if (method === "POST") return "create";
  if (method === "PATCH") return "patch";
  const [resource = "", query = ""] = path.split("?");
  if (!COLLECTION.test(resource)) return "get";
  return new URLSearchParams(query).get("watch") === "true" ? "watch" : "list";
}
