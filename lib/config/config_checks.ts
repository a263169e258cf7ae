/** Checks of settings that depend on each other. */
import { readLabel } from "./label_and_value.ts";
import { type Fault, faultOf } from "./read_settings.ts";
import type { SettingValues } from "./settings.ts";

/** Faults of LABEL, FOLDER and NAMESPACE_SELECTOR. */
export function faultsOf(values: SettingValues): Fault[] {
  const { FOLDER, LABEL, RESOURCE_NAME } = values;
  const faults: Fault[] = [];
  if (RESOURCE_NAME === undefined) {
    faults.push(
      ...LABEL === undefined ? [missing("LABEL", "the label key to select by", values)] : readLabel(values).faults,
    );
  }
  if (FOLDER === undefined) faults.push(missing("FOLDER", "the folder that files are written to", values));
  else if (FOLDER.includes("\0")) faults.push(faultOf("FOLDER", FOLDER, "expected a path"));
  else if (FOLDER.startsWith("~")) faults.push(faultOf("FOLDER", FOLDER, HOME_FOLDER));
  const { NAMESPACE_SELECTOR, NAMESPACE } = values;
  if (NAMESPACE_SELECTOR !== undefined && NAMESPACE !== "ALL") {
    faults.push(faultOf("NAMESPACE_SELECTOR", NAMESPACE_SELECTOR, "expected NAMESPACE=ALL beside it"));
  }
  return faults;
}

const HOME_FOLDER = "only a shell replaces ~ with the home directory; here it was quoted, or there was no shell. " +
  "Write the path in full, or ./~ for a folder of that name";

/** One line for each setting that is accepted but does not work as intended. */
export function warningsOf(values: SettingValues): string[] {
  const warnings = values.RESOURCE_NAME === undefined ? readLabel(values).warnings : [];
  if (values.METHOD === "WATCH" && values.WATCH_CLIENT_TIMEOUT < values.WATCH_SERVER_TIMEOUT) {
    warnings.push(
      `WATCH_CLIENT_TIMEOUT=${values.WATCH_CLIENT_TIMEOUT} is shorter than WATCH_SERVER_TIMEOUT=${values.WATCH_SERVER_TIMEOUT}: ` +
        "the client will cut every watch. Set it higher than WATCH_SERVER_TIMEOUT",
    );
  }
  const user = values.REQ_USERNAME !== undefined || values.REQ_USERNAME_FILE !== undefined;
  const password = values.REQ_PASSWORD !== undefined || values.REQ_PASSWORD_FILE !== undefined;
  if (values.REQ_URL !== undefined && user !== password) {
    warnings.push(
      `REQ_${user ? "USERNAME" : "PASSWORD"} is set without REQ_${
        user ? "PASSWORD" : "USERNAME"
      }: requests are sent without basic auth`,
    );
  }
  if (values.REQ_URL !== undefined && values.REQ_PAYLOAD !== undefined && values.REQ_METHOD === "GET") {
    warnings.push("REQ_PAYLOAD is set with REQ_METHOD=GET: a GET has no body, so the payload is not sent");
  }
  for (const limit of ["URL_MAX_BYTES_PER_OBJECT", "URL_MAX_BYTES_TOTAL"] as const) {
    if (values[limit] < values.URL_MAX_BYTES) {
      warnings.push(`${limit} is less than URL_MAX_BYTES: larger downloads will be refused. Raise it, or set it to 0`);
    }
  }
  if (values.FINALIZERS && values.REMOVE_DELAY > 0) {
    warnings.push(
      "REMOVE_DELAY has no effect with FINALIZERS: an object exists until its files are removed. Set one of them",
    );
  }
  return warnings;
}

function missing(setting: "LABEL" | "FOLDER", what: string, { CONFIG_FILE }: SettingValues): Fault {
  const other = setting === "LABEL" ? "FOLDER" : "LABEL or RESOURCE_NAME";
  const reason = CONFIG_FILE === undefined ? "" : `, because ${other} is set beside CONFIG_FILE`;
  return { setting, message: `${setting} is required: ${what}${reason}` };
}
