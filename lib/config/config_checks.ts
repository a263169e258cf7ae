/** Checks of settings that depend on each other. */
import { isLabelKey, isLabelValue, parseSelector, SelectorError } from "../objects/label_selector.ts";
import { type Fault, faultOf } from "./read_settings.ts";
import type { SettingValues } from "./settings.ts";

/** What is missing or wrong in LABEL, LABEL_VALUE and FOLDER. */
export function faultsOf(values: SettingValues): Fault[] {
  const { FOLDER, RESOURCE_NAME } = values;
  const faults = RESOURCE_NAME === undefined ? labelFaults(values) : [];
  if (FOLDER === undefined) faults.push(missing("FOLDER", "the folder that files are written to"));
  else if (FOLDER.includes("\0")) faults.push(faultOf("FOLDER", FOLDER, "expected a path"));
  const { NAMESPACE_SELECTOR, NAMESPACE } = values;
  if (NAMESPACE_SELECTOR !== undefined && NAMESPACE !== "ALL") {
    faults.push(faultOf("NAMESPACE_SELECTOR", NAMESPACE_SELECTOR, "expected NAMESPACE=ALL beside it"));
  }
  return faults;
}

function labelFaults({ LABEL, LABEL_VALUE }: SettingValues): Fault[] {
  if (LABEL === undefined) return [missing("LABEL", "the label key to select by")];
  if (LABEL_VALUE === undefined) return selectorFaults(LABEL);
  const faults: Fault[] = [];
  if (!isLabelKey(LABEL.trim())) {
    faults.push(faultOf("LABEL", LABEL, "expected a label key, because LABEL_VALUE is set"));
  }
  if (!isLabelValue(LABEL_VALUE.trim())) {
    faults.push(
      faultOf("LABEL_VALUE", LABEL_VALUE, "expected a label value: at most 63 letters, digits, -, _ and ."),
    );
  }
  return faults;
}

function selectorFaults(label: string): Fault[] {
  try {
    if (parseSelector(label).length > 0) return [];
    return [faultOf("LABEL", label, "expected a label key or selector; an empty selector would match every object")];
  } catch (error) {
    if (!(error instanceof SelectorError)) throw error;
    return [faultOf("LABEL", label, `expected a label key or selector; ${error.message}`)];
  }
}

/** Settings that are accepted but cannot do what they say, one line each. */
export function warningsOf(values: SettingValues): string[] {
  const warnings: string[] = [];
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
  if (values.FINALIZERS && values.REMOVE_DELAY > 0) {
    warnings.push(
      "REMOVE_DELAY has no effect with FINALIZERS: an object is not gone before its files are. Set one of them",
    );
  }
  return warnings;
}

function missing(setting: string, what: string): Fault {
  return { setting, message: `${setting} is required: ${what}` };
}
