/** LABEL and LABEL_VALUE become one label selector. The grammar of selectors is in objects/selector_grammar.ts. */
import { isLabelKey, isLabelValue, parseSelector, SelectorError } from "../objects/selector_grammar.ts";
import { type Fault, faultOf } from "./read_settings.ts";
import type { SettingValues } from "./settings.ts";

export interface LabelSetting {
  /** In the API's syntax; `undefined` when LABEL is not set. */
  selector: string | undefined;
  faults: Fault[];
  warnings: string[];
}

/**
 * The selector is `LABEL`, or `LABEL=LABEL_VALUE` when LABEL_VALUE is set. LABEL may then be a selector that ends in a
 * key, such as `app in (a,b),tier`, because kiwigrid's image joins the two texts in the same way.
 */
export function readLabel({ LABEL, LABEL_VALUE, DEFAULTS }: SettingValues): LabelSetting {
  const result: LabelSetting = { selector: LABEL, faults: [], warnings: [] };
  if (LABEL === undefined) return result;
  const label = LABEL.trim();
  const reason = selectorFault(label);
  if (reason !== undefined) result.faults.push(faultOf("LABEL", LABEL, reason));
  if (LABEL_VALUE === undefined) return result;

  const value = LABEL_VALUE.trim();
  const selector = result.selector = `${label}=${value}`;
  if (reason === undefined && !endsInKey(label)) {
    result.faults.push(
      faultOf("LABEL", LABEL, "expected a label key, or a selector that ends in one, because LABEL_VALUE is set"),
    );
  } else if (!isLabelValue(value)) {
    const expected = "expected a label value: at most 63 letters, digits, -, _ and .";
    if (DEFAULTS === "kiwigrid" && selectorFault(selector) === undefined) {
      const { message } = faultOf("LABEL_VALUE", LABEL_VALUE, expected);
      result.warnings.push(`${message}. As with kiwigrid's image, the selector is ${selector}`);
    } else {
      result.faults.push(faultOf("LABEL_VALUE", LABEL_VALUE, expected));
    }
  }
  return result;
}

function endsInKey(selector: string): boolean {
  return isLabelKey(selector) || parseSelector(selector).at(-1)?.operator === "exists";
}

function selectorFault(selector: string): string | undefined {
  try {
    if (parseSelector(selector).length > 0) return undefined;
    return "expected a label key or selector; an empty selector would match every object";
  } catch (error) {
    if (!(error instanceof SelectorError)) throw error;
    return `expected a label key or selector; ${error.message}`;
  }
}
