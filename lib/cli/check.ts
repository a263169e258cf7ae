import type { Flags } from "../config/collection_settings.ts";
import { EXIT, type ExitCode } from "./exit_codes.ts";
export function runCheck(
  _: { flags: Flags; pod?: string },
  _env: Record<string, string | undefined>,
): Promise<ExitCode> {
  return Promise.resolve(EXIT.done);
}
