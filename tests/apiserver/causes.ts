/** The causes of a refusal, worded as `k8s.io/apimachinery/pkg/util/validation/field` words them. */
import type { Cause } from "./status.ts";

export function invalidValue(field: string, value: unknown, why: string): Cause {
  return { reason: "FieldValueInvalid", message: `Invalid value: ${JSON.stringify(value)}: ${why}`, field };
}

export function required(field: string, why = ""): Cause {
  return { reason: "FieldValueRequired", message: why === "" ? "Required value" : `Required value: ${why}`, field };
}

export function forbiddenField(field: string, why: string): Cause {
  return { reason: "FieldValueForbidden", message: `Forbidden: ${why}`, field };
}

export function tooLong(field: string, bytes: number): Cause {
  return { reason: "FieldValueTooLong", message: `Too long: must have at most ${bytes} bytes`, field };
}
