/** `k8s-sidecar plan`: what a start would create, change and remove. Writes nothing. */
import type { Flags } from "../config/collection_settings.ts";
import { PublishError } from "../files/publish_error.ts";
import { CredentialsError } from "../kube/client/errors.ts";
import { makePlan } from "../plan/make_plan.ts";
import { systemClock } from "../runtime/clock.ts";
import { EXIT, type ExitCode } from "./exit_codes.ts";
import { planText } from "./plan_text.ts";
import { openReading } from "./reading.ts";
import { coloursOf, printError, printWarning } from "./report.ts";

export interface PlanCommand {
  flags: Flags;
  manifests?: string;
  json: boolean;
  exitCode: boolean;
}

const GOES_ON =
  "The running sidecar goes on with the version of CONFIG_FILE before: `k8s-sidecar status` says what it does";

export async function runPlan(
  command: PlanCommand,
  env: Record<string, string | undefined>,
  stop: AbortSignal,
): Promise<ExitCode> {
  const reading = await openReading(command, env);
  if ("before" in reading) {
    if (reading.before !== undefined) console.error(GOES_ON);
    return EXIT.configuration;
  }
  await using _ = reading;
  try {
    const plan = await makePlan({ ...reading, env, clock: systemClock, random: Math.random }, stop);
    for (const warning of plan.warnings) printWarning(warning);
    if (command.json) console.log(JSON.stringify(plan, null, 2));
    else console.log(planText(plan, reading.origin, coloursOf()));
    for (const failure of plan.failures) printError(failure);
    if (plan.failures.length > 0) return EXIT.apiFailed;
    const { create, change, remove, download } = plan.summary;
    return command.exitCode && create + change + remove + download > 0 ? EXIT.differs : EXIT.done;
  } catch (error) {
    if (stop.aborted) return EXIT.done;
    if (!(error instanceof PublishError || error instanceof CredentialsError)) throw error;
    printError(error.message);
    return error instanceof PublishError ? EXIT.configuration : EXIT.apiFailed;
  }
}
