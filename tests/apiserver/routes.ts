/** From a request for a resource to its answer. */
import { encodeObject } from "./codec.ts";
import { listObjects } from "./list.ts";
import type { DeleteOptions, Registry, WriteOptions } from "./registry.ts";
import { findResource, type Resource } from "./resources.ts";
import { decodeProtobuf, PROTOBUF } from "./protobuf.ts";
import {
  badRequest,
  forbidden,
  methodNotAllowed,
  notAcceptable,
  type StatusBody,
  unknownPath,
  unsupportedMediaType,
} from "./status.ts";
import { isTrue, parseWatchRequest, watchObjects } from "./watch.ts";

export interface RouteContext {
  registry: Registry;
  /** Aborted when the server closes. */
  signal: AbortSignal;
  /** Whether lists and watches of all namespaces are allowed. */
  clusterWide: boolean;
  bookmarkIntervalMs: number;
}

/** What a path names: a resource, or one object of it. */
interface Target {
  resource: Resource;
  namespace: string | undefined;
  name: string | undefined;
}

/** @throws {StatusError} whatever the request is refused with */
export async function route(context: RouteContext, url: URL, request: Request): Promise<Response> {
  const target = targetOf(url.pathname);
  if (target === undefined) throw unknownPath();
  checkAccept(request);
  const query = url.searchParams;
  const { name } = target;
  switch (request.method) {
    case "GET":
      if (!context.clusterWide && name === undefined && target.namespace === undefined) {
        throw forbidden(target.resource, "", "not allowed at the cluster scope");
      }
      if (isTrue(query, "watch")) return watch(context, target, query);
      return name === undefined ? list(context, target, query) : get(context, { ...target, name });
    case "POST":
      if (name !== undefined) throw methodNotAllowed();
      return await create(context, target, query, request);
    case "PUT":
    case "PATCH":
      if (name === undefined) throw methodNotAllowed();
      return await update(context, { ...target, name }, query, request);
    case "DELETE":
      return await remove(context, target, query, request);
    default:
      throw methodNotAllowed();
  }
}

/** `/api/v1/configmaps`, `/api/v1/namespaces/a/configmaps/b`, `/api/v1/namespaces/a`, `/apis/GROUP/VERSION/…`. */
function targetOf(path: string): Target | undefined {
  const core = /^\/api\/([^/]+)\/(.+)$/.exec(path);
  const [, apiVersion, rest] = core ?? /^\/apis\/([^/]+\/[^/]+)\/(.+)$/.exec(path) ?? [];
  if (apiVersion === undefined || rest === undefined) return undefined;
  const parts = rest.split("/").map(decodeURIComponent);
  const scoped = parts[0] === "namespaces" && parts.length > 2;
  const namespace = scoped ? parts[1] : undefined;
  const [plural, name, ...more] = scoped ? parts.slice(2) : parts;
  const resource = plural === undefined || more.length > 0 ? undefined : findResource(apiVersion, plural);
  if (resource === undefined || (resource.namespaced ? name !== undefined && !scoped : scoped)) return undefined;
  return { resource, namespace, name };
}

function get({ registry }: RouteContext, { resource, namespace, name }: Target & { name: string }): Response {
  return Response.json(encodeObject(resource, registry.get(resource, namespace, name)));
}

function list({ registry }: RouteContext, { resource, namespace }: Target, query: URLSearchParams): Response {
  return Response.json(listObjects(registry.store, resource, namespace, query));
}

/** A line of JSON for each event, and a clean end. A watch by name is one by the field metadata.name. */
function watch(context: RouteContext, { resource, namespace, name }: Target, query: URLSearchParams): Response {
  if (name !== undefined) query.set("fieldSelector", `metadata.name=${name}`);
  const store = context.registry.store;
  const request = parseWatchRequest(store, resource, namespace, query);
  const gone = new AbortController();
  const signal = AbortSignal.any([context.signal, gone.signal]);
  const events = watchObjects(store, request, context.bookmarkIntervalMs, signal);
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value, done } = await events.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(`${JSON.stringify(value)}\n`));
    },
    cancel: () => gone.abort(),
  }, { highWaterMark: 0 });
  return new Response(body, { headers: { "content-type": "application/json" } });
}

async function create(
  { registry }: RouteContext,
  { resource, namespace }: Target,
  query: URLSearchParams,
  request: Request,
): Promise<Response> {
  if (resource.namespaced && namespace === undefined) throw methodNotAllowed();
  const body = await readBody(request);
  const object = registry.create(resource, namespace, body, writeOptions(query));
  return Response.json(encodeObject(resource, object), { status: 201 });
}

async function update(
  { registry }: RouteContext,
  { resource, namespace, name }: Target & { name: string },
  query: URLSearchParams,
  request: Request,
): Promise<Response> {
  const options = writeOptions(query);
  const object = request.method === "PUT"
    ? registry.update(resource, namespace, name, await readBody(request), options)
    : registry.patch(resource, namespace, name, mediaTypeOf(request), await readJson(request), options);
  return Response.json(encodeObject(resource, object));
}

/** One object is answered with a Status when it is gone, with itself when finalizers hold it; a collection with a list. */
async function remove(
  { registry }: RouteContext,
  { resource, namespace, name }: Target,
  query: URLSearchParams,
  request: Request,
): Promise<Response> {
  const body = await readJson(request);
  const options: DeleteOptions = { ...writeOptions(query), ...deleteOptions(body) };
  if (name === undefined) {
    if (!resource.verbs.includes("deletecollection")) throw methodNotAllowed();
    if (resource.namespaced && namespace === undefined) throw methodNotAllowed();
    const deleted = listObjects(registry.store, resource, namespace, query);
    for (const { metadata } of deleted.items) registry.delete(resource, namespace, metadata!.name, options);
    return Response.json(deleted);
  }
  const { object, deleted } = registry.delete(resource, namespace, name, options);
  if (!deleted) return Response.json(encodeObject(resource, object));
  const { uid } = object.metadata;
  const group = resource.group === "" ? {} : { group: resource.group };
  const success: StatusBody = {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Success",
    details: { name, ...group, kind: resource.plural, ...(uid === undefined ? {} : { uid }) },
  };
  return Response.json(success);
}

function checkAccept(request: Request): void {
  const accept = request.headers.get("accept") ?? "";
  if (accept !== "" && !/application\/json|\*\/\*|application\/\*/.test(accept)) throw notAcceptable();
}

function mediaTypeOf(request: Request): string {
  return (request.headers.get("content-type") ?? "application/json").split(";")[0]!.trim();
}

async function readBody(request: Request): Promise<unknown> {
  if (mediaTypeOf(request) === PROTOBUF) return decodeProtobuf(await request.bytes());
  return await readJson(request, ["application/json"]);
}

/** The parsed body; `undefined` for an empty one. */
async function readJson(request: Request, accepted?: string[]): Promise<unknown> {
  const text = await request.text();
  if (accepted !== undefined && !accepted.includes(mediaTypeOf(request))) throw unsupportedMediaType(accepted);
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw badRequest(`the body is no JSON: ${(error as Error).message}`);
  }
}

function writeOptions(query: URLSearchParams): WriteOptions {
  return { dryRun: query.getAll("dryRun").includes("All"), strict: query.get("fieldValidation") === "Strict" };
}

function deleteOptions(body: unknown): DeleteOptions {
  if (typeof body !== "object" || body === null) return {};
  const { preconditions, dryRun } = body as DeleteOptions & { dryRun?: string[] };
  return {
    ...(preconditions === undefined || preconditions === null ? {} : { preconditions }),
    ...(Array.isArray(dryRun) && dryRun.includes("All") ? { dryRun: true } : {}),
  };
}
