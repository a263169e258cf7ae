/** `k8s-sidecar explain`: why an object becomes no file, whose a file is, and what is wrong. Writes nothing. */
import type { Flags } from "../config/collection_settings.ts";
import { PublishError } from "../files/publish_error.ts";
import { CredentialsError } from "../kube/client/errors.ts";
import { explainObject } from "../plan/explain_object.ts";
import { explainOverview } from "../plan/explain_overview.ts";
import { explainPath } from "../plan/explain_path.ts";
import type { Explanation } from "../plan/explanation.ts";
import { openPicture } from "../plan/picture.ts";
import { parseSubject, type Subject } from "../plan/subject.ts";
import { systemClock } from "../runtime/clock.ts";
import { messageOf } from "../runtime/message_of.ts";
import type { Status } from "../serve/status.ts";
import { EXIT, type ExitCode } from "./exit_codes.ts";
import { explanationText } from "./explanation_text.ts";
import { openReading, type Reading } from "./reading.ts";
import { coloursOf, printError } from "./report.ts";
import { statusOf } from "./status.ts";

export interface ExplainCommand {
  flags: Flags;
  manifests?: string;
  json: boolean;
  /** An object or a path; `undefined` for the overview. */
  subject?: string;
}

export async function runExplain(
  command: ExplainCommand,
  env: Record<string, string | undefined>,
  stop: AbortSignal,
): Promise<ExitCode> {
  const reading = await openReading(command, env);
  if (reading === undefined) return EXIT.configuration;
  await using _ = reading;
  const subject = command.subject === undefined ? undefined : await subjectOf(command.subject, reading);
  if (command.subject !== undefined && subject === undefined) {
    const expected = "expected NAMESPACE/KIND/NAME, where KIND is configmap or secret, or an absolute path";
    printError(`${JSON.stringify(command.subject)}: ${expected}`);
    return EXIT.configuration;
  }
  try {
    const explanation = await explain(subject, reading, env, stop);
    console.log(
      command.json
        ? JSON.stringify(explanation, null, 2)
        : explanationText(explanation, { ...coloursOf(), now: new Date().toISOString() }),
    );
    return explanation.isAnswered ? EXIT.done : EXIT.unanswered;
  } catch (error) {
    if (stop.aborted) return EXIT.done;
    if (!(error instanceof PublishError || error instanceof CredentialsError)) throw error;
    printError(error.message);
    return EXIT.unanswered;
  }
}

async function explain(
  subject: Subject | undefined,
  reading: Reading,
  env: Record<string, string | undefined>,
  signal: AbortSignal,
): Promise<Explanation> {
  const { status, reason } = await askSidecar(reading);
  const options = { ...reading, env, clock: systemClock, random: Math.random };
  const picture = await openPicture(options, status, signal);
  const answer = subject === undefined
    ? explainOverview(picture)
    : "path" in subject
    ? await explainPath(subject.path, picture, signal)
    : await explainObject(subject.ref, picture, signal);
  const sidecar = { isRunning: status !== undefined, ...(reason === undefined ? {} : { reason }) };
  return { version: 1, ...answer, sidecar };
}

async function askSidecar({ config }: Reading): Promise<{ status?: Status; reason?: string }> {
  try {
    return { status: await statusOf({ config, faults: [] }) };
  } catch (error) {
    return { reason: messageOf(error) };
  }
}

async function subjectOf(text: string, { client }: Reading): Promise<Subject | undefined> {
  // The namespace in the credentials is needed only without one in the text
  return parseSubject(text, text.split("/").length === 2 ? await client.namespace() : "");
}
