/** What clients ask to find out what an API server has: groups, resources, version, health, and as much OpenAPI as kubectl needs. */
import { apiVersionOf, type Resource, RESOURCES } from "./resources.ts";

/** The version whose behaviour is followed. */
const VERSION = { major: "1", minor: "32", gitVersion: "v1.32.0", platform: "deno/embedded" };

/** The answer for a path that is not about objects; nothing for any other. */
export function discovery(url: URL): Response | undefined {
  const path = url.pathname.length > 1 ? url.pathname.replace(/\/$/, "") : url.pathname;
  const openApiOf = /^\/openapi\/v3\/(?:api|apis)\/(.+)$/.exec(path)?.[1];
  const apiVersion = /^\/api\/(v1)$|^\/apis\/([^/]+\/[^/]+)$/.exec(path)?.slice(1).find((part) => part !== undefined);
  switch (path) {
    case "/healthz":
    case "/livez":
    case "/readyz":
      return new Response("ok");
    case "/version":
      return Response.json(VERSION);
    case "/api":
      return Response.json({ kind: "APIVersions", apiVersion: "v1", versions: ["v1"], serverAddressByClientCIDRs: [] });
    case "/apis":
      return Response.json({ kind: "APIGroupList", apiVersion: "v1", groups: groups() });
    case "/openapi/v3":
      return Response.json({ paths: Object.fromEntries(apiVersions().map(openApiPath)) });
  }
  const group = groups().find(({ name }) => path === `/apis/${name}`);
  if (group !== undefined) return Response.json({ kind: "APIGroup", apiVersion: "v1", ...group });
  if (openApiOf !== undefined && apiVersions().includes(openApiOf)) return Response.json(openApi(openApiOf));
  if (apiVersion === undefined || !apiVersions().includes(apiVersion)) return undefined;
  return Response.json({
    kind: "APIResourceList",
    apiVersion: "v1",
    groupVersion: apiVersion,
    resources: resourcesOf(apiVersion).map(({ plural, kind, namespaced, verbs, shortNames }) => ({
      name: plural,
      singularName: kind.toLowerCase(),
      namespaced,
      kind,
      verbs,
      ...(shortNames.length === 0 ? {} : { shortNames }),
    })),
  });
}

function apiVersions(): string[] {
  return [...new Set(RESOURCES.map(apiVersionOf))];
}

function resourcesOf(apiVersion: string): Resource[] {
  return RESOURCES.filter((resource) => apiVersionOf(resource) === apiVersion);
}

function groups() {
  return apiVersions().filter((apiVersion) => apiVersion.includes("/")).map((groupVersion) => {
    const [name, version] = groupVersion.split("/") as [string, string];
    return { name, versions: [{ groupVersion, version }], preferredVersion: { groupVersion, version } };
  });
}

function pathOf(apiVersion: string): string {
  return apiVersion.includes("/") ? `apis/${apiVersion}` : `api/${apiVersion}`;
}

function openApiPath(apiVersion: string): [string, { serverRelativeURL: string }] {
  return [pathOf(apiVersion), { serverRelativeURL: `/openapi/v3/${pathOf(apiVersion)}` }];
}

/** No schemas: only that a PATCH takes `fieldValidation`, by which kubectl knows that the server validates fields. */
function openApi(apiVersion: string) {
  const paths = resourcesOf(apiVersion).map((resource) => {
    const { group, version, kind, plural } = resource;
    const scope = resource.namespaced ? "/namespaces/{namespace}" : "";
    const parameters = [{ name: "fieldValidation", in: "query", schema: { type: "string", uniqueItems: true } }];
    const patch = { parameters, responses: {}, "x-kubernetes-group-version-kind": { group, version, kind } };
    return [`/${pathOf(apiVersion)}${scope}/${plural}/{name}`, { patch }];
  });
  return {
    openapi: "3.0.0",
    info: { title: "Kubernetes", version: VERSION.gitVersion },
    paths: Object.fromEntries(paths),
  };
}
