/** A strict check of objects against an API server's own schema: fields it does not know, and values of the wrong type. */

interface Schema {
  $ref?: string;
  type?: string;
  format?: string;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema;
  items?: Schema;
  required?: string[];
  "x-kubernetes-group-version-kind"?: { group: string; version: string; kind: string }[];
}

export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
  // deno-lint-ignore no-explicit-any
  [field: string]: any;
}

export class OpenApi {
  readonly #definitions: Record<string, Schema>;

  /** @param document what `/openapi/v2` answers */
  constructor(document: { definitions: Record<string, Schema> }) {
    this.#definitions = document.definitions;
  }

  /** What is wrong, one line each. */
  faults(object: KubernetesObject): string[] {
    const [version = "", group = ""] = object.apiVersion.split("/").reverse();
    const schema = Object.values(this.#definitions).find((definition) =>
      definition["x-kubernetes-group-version-kind"]?.some((it) =>
        it.group === group && it.version === version && it.kind === object.kind
      )
    );
    if (schema === undefined) return [`${object.apiVersion} ${object.kind} is unknown`];
    return [...this.#check(object, schema, "")];
  }

  *#check(value: unknown, reference: Schema, path: string): Generator<string> {
    const schema = reference.$ref === undefined ? reference : this.#definitions[reference.$ref.split("/").at(-1) ?? ""];
    if (schema === undefined) throw new Error(`the schema of ${path} is missing`);
    const type = schema.type ?? (schema.properties === undefined ? "any" : "object");
    if (type === "any") return;
    if (schema.format === "int-or-string" ? !/^(string|number)$/.test(typeof value) : !isOfType(value, type)) {
      yield `${path} is ${JSON.stringify(value)}, not ${schema.format ?? type}`;
      return;
    }
    if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) yield* this.#check(item, schema.items ?? {}, `${path}[${index}]`);
    } else if (typeof value === "object" && value !== null) {
      for (const name of schema.required ?? []) if (!(name in value)) yield `${path}.${name} is missing`;
      for (const [name, item] of Object.entries(value)) {
        const of = schema.properties?.[name] ?? schema.additionalProperties;
        if (of !== undefined) yield* this.#check(item, of, `${path}.${name}`);
        else if (schema.properties !== undefined) yield `${path}.${name} is unknown`;
      }
    }
  }
}

function isOfType(value: unknown, type: string): boolean {
  switch (type) {
    case "array":
      return Array.isArray(value);
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    case "integer":
      return Number.isInteger(value);
    case "string":
      return typeof value === "string";
    case "boolean":
      return typeof value === "boolean";
    default:
      return typeof value === "number";
  }
}
