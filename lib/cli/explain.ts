/** `k8s-sidecar explain`: why an object becomes no file, whose a file is, and what is wrong. Writes nothing. */
import type { Flags } from "../config/collection_settings.ts";
import type { Fault } from "../config/read_settings.ts";
import { PublishError } from "../files/publish_error.ts";
import { CredentialsError } from "../kube/client/errors.ts";
import { explainByStatus } from "../plan/explain_by_status.ts";
import { explainObject } from "../plan/explain_object.ts";
import { explainOverview } from "../plan/explain_overview.ts";
import { explainPath } from "../plan/explain_path.ts";
import type { Explanation } from "../plan/explanation.ts";
import { openPicture } from "../plan/picture.ts";
import { findByName } from "../plan/find_by_name.ts";
import { parseSubject, type Subject } from "../plan/subject.ts";
import { unknownNotifications } from "../plan/unknown_notifications.ts";
import { qualifiedName } from "../objects/ref.ts";
import { given } from "../runtime/given.ts";
import { systemClock } from "../runtime/clock.ts";
import { messageOf } from "../runtime/message_of.ts";
import type { Problem, Status } from "../serve/status.ts";
import { OtherSidecarError } from "./ask_sidecar.ts";
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
  if ("before" in reading) {
    if (reading.before !== undefined) explainVersionBefore(command, reading.before, reading.faults);
    return EXIT.configuration;
  }
  await using _ = reading;
  try {
    const subject = await subjectOf(command.subject, reading, stop);
    if (subject !== undefined && "exit" in subject) return subject.exit;
    const explanation = await explain(subject, reading, env, stop);
    explanation.suggestions.push(...subject?.others ?? []);
    print(explanation, command);
    return explanation.isAnswered ? EXIT.done : EXIT.unanswered;
  } catch (error) {
    if (stop.aborted) return EXIT.done;
    if (!(error instanceof PublishError || error instanceof CredentialsError)) throw error;
    printError(error.message);
    return EXIT.unanswered;
  }
}

function print(explanation: Explanation, { json }: ExplainCommand): void {
  const text = json
    ? JSON.stringify(explanation, null, 2)
    : explanationText(explanation, { ...coloursOf(), now: new Date().toISOString() });
  console.log(text);
}

/** @param faults of CONFIG_FILE, which have been printed */
function explainVersionBefore(command: ExplainCommand, status: Status, faults: readonly Fault[]): void {
  const subject = command.subject === undefined ? undefined : parseSubject(command.subject, "");
  if (command.subject !== undefined && subject === undefined) return printError(expected(command.subject));
  console.error(GOES_ON);
  const answer = explainByStatus(subject, status);
  // JSON is read without the faults on stderr
  const problems = command.json ? answer.problems : withoutFaults(answer.problems, status, faults);
  print({ version: 1, ...answer, problems, sidecar: { isRunning: true } }, command);
}

/** Without the text of faults that were printed, if they are those that the sidecar has met. */
function withoutFaults(problems: readonly Problem[], { configFile }: Status, faults: readonly Fault[]): Problem[] {
  const met = configFile?.fault;
  const isPrinted = met !== undefined && faults.some(({ message }) => met.startsWith(message));
  return problems.map((problem) =>
    isPrinted && problem.path === configFile?.path
      ? { ...problem, what: problem.what.replace(`: ${met}`, ", for the faults above") }
      : problem
  );
}

const GOES_ON = "The running sidecar goes on with the version of CONFIG_FILE before, and says:";

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
  return { version: 1, ...answer, sidecar, ...given("unknown", unknownNotifications(answer, picture)) };
}

async function askSidecar({ config }: Reading): Promise<{ status?: Status; reason?: string }> {
  try {
    return { status: await statusOf({ config, faults: [] }) };
  } catch (error) {
    if (!(error instanceof OtherSidecarError)) return { reason: messageOf(error) };
    const { port } = config.health;
    // Somebody who tries other settings is not told to change the port
    return { reason: `the sidecar at port ${port} has other settings. Two sidecars of a pod each need a HEALTH_PORT` };
  }
}

/** With other objects of the same name. `exit`: there is no such thing, which has been printed. */
async function subjectOf(
  text: string | undefined,
  { client, config }: Reading,
  signal: AbortSignal,
): Promise<(Subject & { others?: string[] }) | undefined | { exit: ExitCode }> {
  if (text === undefined) return undefined;
  // The namespace in the credentials is needed only without one in the text
  const subject = parseSubject(text, text.split("/").length === 2 ? await client.namespace() : "");
  if (subject !== undefined && !("name" in subject)) return subject;
  if (subject === undefined) return printed(expected(text));
  const { found, meant, excluded, near, failure } = await findByName(subject, config.collections, client, signal);
  const all = found.map(qualifiedName);
  if (meant !== undefined) {
    return {
      ref: meant,
      others: all.filter((one) => one !== qualifiedName(meant)).slice(0, MAX_SUGGESTIONS),
    };
  }
  if (excluded !== undefined) return { ref: excluded };
  if (found.length > 0) {
    return printed(
      `several objects are named ${JSON.stringify(text)}: ask for one of ${all.slice(0, MAX_NAMES).join(", ")}`,
    );
  }
  if (failure !== undefined) {
    return printed(
      `${JSON.stringify(text)} cannot be looked up: ${failure}. Ask for NAMESPACE/KIND/NAME`,
      EXIT.unanswered,
    );
  }
  const hint = near.length === 0 ? EXPECTED : `did you mean ${near.join(", or ")}?`;
  return printed(`no ConfigMap or Secret named ${JSON.stringify(text)} was found: ${hint}`);
}

function printed(error: string, exit: ExitCode = EXIT.configuration): { exit: ExitCode } {
  printError(error);
  return { exit };
}

/** Objects with one name that are listed, where one has to be chosen, and beside the one that is explained. */
const MAX_NAMES = 10;
const MAX_SUGGESTIONS = 3;

const EXPECTED =
  "expected NAMESPACE/KIND/NAME, KIND/NAME or NAME, where KIND is configmap or secret, or an absolute path";

function expected(text: string): string {
  return `${JSON.stringify(text)}: ${EXPECTED}`;
}
