import type { Flags } from "../config/collection_settings.ts";
import { EXIT, type ExitCode } from "./exit_codes.ts";

export interface ExplainCommand {
  flags: Flags;
  manifests?: string;
  json: boolean;
  subject?: string;
}

export function runExplain(
  _command: ExplainCommand,
  _env: Record<string, string | undefined>,
  _stop: AbortSignal,
): Promise<ExitCode> {
  return Promise.resolve(EXIT.unanswered);
}
