/**
 * Errors as the API server answers them: a meta/v1 Status with the reason, code and message of the real one.
 * Source: k8s.io/apimachinery `pkg/api/errors`.
 */
import type { Resource } from "./resources.ts";

/** One fault of one field. `reason` as `FieldValueInvalid`; `message` without the field's name. */
export interface Cause {
  reason: string;
  message: string;
  field: string;
}

export interface StatusDetails {
  name?: string;
  group?: string;
  kind?: string;
  uid?: string;
  causes?: { reason: string; message: string; field?: string }[];
  retryAfterSeconds?: number;
}

/** The body of an answer that is no object. */
export interface StatusBody {
  kind: "Status";
  apiVersion: "v1";
  metadata: { continue?: string };
  status: "Success" | "Failure";
  message?: string;
  reason?: string;
  details?: StatusDetails;
  code?: number;
}

/** A request that is refused: `status` is what the client gets, its `code` is the HTTP status. */
export class StatusError extends Error {
  override name = "StatusError";
  readonly status: StatusBody & { code: number };

  constructor(code: number, reason: string, message: string, details?: StatusDetails, metadata = {}) {
    super(message);
    this.status = {
      kind: "Status",
      apiVersion: "v1",
      metadata,
      status: "Failure",
      message,
      reason,
      ...(details === undefined ? {} : { details }),
      code,
    };
  }
}

function qualified(resource: Resource): string {
  return resource.group === "" ? resource.plural : `${resource.plural}.${resource.group}`;
}

function detailsOf(resource: Resource, name: string, kind: string = resource.plural): StatusDetails {
  return { ...(name === "" ? {} : { name }), ...(resource.group === "" ? {} : { group: resource.group }), kind };
}

export function badRequest(message: string): StatusError {
  return new StatusError(400, "BadRequest", message);
}

export function unauthorized(): StatusError {
  return new StatusError(401, "Unauthorized", "Unauthorized");
}

/** No object of that name. */
export function notFound(resource: Resource, name: string): StatusError {
  return new StatusError(404, "NotFound", `${qualified(resource)} "${name}" not found`, detailsOf(resource, name));
}

/** No resource, or no such path. */
export function unknownPath(): StatusError {
  return new StatusError(404, "NotFound", "the server could not find the requested resource", {});
}

export function methodNotAllowed(): StatusError {
  const message = "the server does not allow this method on the requested resource";
  return new StatusError(405, "MethodNotAllowed", message, {});
}

export function alreadyExists(resource: Resource, name: string): StatusError {
  const message = `${qualified(resource)} "${name}" already exists`;
  return new StatusError(409, "AlreadyExists", message, detailsOf(resource, name));
}

export function conflict(resource: Resource, name: string, why: string): StatusError {
  const message = `Operation cannot be fulfilled on ${qualified(resource)} "${name}": ${why}`;
  return new StatusError(409, "Conflict", message, detailsOf(resource, name));
}

export function forbidden(resource: Resource, name: string, why: string): StatusError {
  const message = `${qualified(resource)} "${name}" is forbidden: ${why}`;
  return new StatusError(403, "Forbidden", message, detailsOf(resource, name));
}

export function notAcceptable(): StatusError {
  const message = "only the following media types are accepted: application/json";
  return new StatusError(406, "NotAcceptable", message, {});
}

/** The version, or the continue token, is older than what the history still has. */
export function expired(message: string, continueToken?: string): StatusError {
  return new StatusError(410, "Expired", message, undefined, continueToken ? { continue: continueToken } : {});
}

export function unsupportedMediaType(accepted: string[]): StatusError {
  const message = `the body of the request was in an unknown format - accepted media types include: ${
    accepted.join(", ")
  }`;
  return new StatusError(415, "UnsupportedMediaType", message, {});
}

/** The object cannot be stored; one cause for each of its faults. */
export function invalid(resource: Resource, name: string, causes: Cause[]): StatusError {
  const details = { ...detailsOf(resource, name, resource.kind), causes };
  return new StatusError(422, "Invalid", `${resource.kind} "${name}" is invalid: ${joined(causes)}`, details);
}

/** The query parameters of a list or a watch contradict each other. */
export function invalidListOptions(causes: Cause[]): StatusError {
  const details = { group: "meta.k8s.io", kind: "ListOptions", causes };
  return new StatusError(422, "Invalid", `ListOptions.meta.k8s.io "" is invalid: ${joined(causes)}`, details);
}

/** A patch that does not fit the object. */
export function unprocessable(why: string): StatusError {
  const message = `the server rejected our request due to an error in our request: ${why}`;
  return new StatusError(422, "Invalid", message, {});
}

/** The client asks for a version that is not there yet. */
export function tooLargeResourceVersion(asked: number, current: number): StatusError {
  const message = `Timeout: Too large resource version: ${asked}, current: ${current}`;
  const causes = [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }];
  return new StatusError(504, "Timeout", message, { causes, retryAfterSeconds: 1 });
}

function joined(causes: Cause[]): string {
  const lines = causes.map(({ field, message }) => `${field}: ${message}`);
  return lines.length === 1 ? lines[0]! : `[${lines.join(", ")}]`;
}
