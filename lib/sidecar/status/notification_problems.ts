/** What is wrong with the notifications of a collection. */
import type { Problem } from "../../serve/status.ts";
import type { SettingName } from "../../config/settings.ts";
import { given } from "../../runtime/given.ts";
import type { CollectionInner } from "../collections/collection.ts";
import { addressOf } from "../opening/open_notifications.ts";
import type { NotificationFailure } from "../collections/told.ts";
import { type Calendar, settingOf, withoutQueries } from "./words.ts";

export function notificationProblems(inner: CollectionInner, calendar: Calendar): Problem[] {
  const { collection, told, notifications } = inner;
  const failures = told.failures;
  const next = notifications.dueAt;
  const when = next === undefined ? "" : `. Next try at ${calendar.at(next)}`;
  const problems = failures.map((failure): Problem => ({
    severity: "error",
    collection: collection.name,
    what: describe(failure),
    cure: `${cureOf(failure, inner)}${when}`,
    since: calendar.at(failure.since),
  }));
  const earlier = failures.length === 0 && notifications.isPending ? earlierFailure(inner, when, calendar) : undefined;
  return earlier === undefined ? problems : [...problems, earlier];
}

/** The failure that the record of an earlier run has. */
function earlierFailure(inner: CollectionInner, when: string, calendar: Calendar): Problem | undefined {
  const { collection, journal, notifications } = inner;
  const { failure } = journal;
  if (failure === undefined || notifications.settings.webhook === undefined) return undefined;
  const to = addressOf("webhook", notifications.settings);
  const what = failure.type === "refused" ? "refused" : failure.type === "unanswered" ? "did not answer" : "failed at";
  return {
    severity: "error",
    collection: collection.name,
    what: `the webhook ${what} a notification of an earlier run, which is pending: ${to}`,
    cure: `${checkOfRequest(inner)}. It is called again when files or credentials change${when}`,
    ...given("since", calendar.at(notifications.pendingSince)),
  };
}

const FAILURES: Readonly<Record<string, string>> = {
  refused: "the webhook has been refused",
  unanswered: "the webhook does not answer",
};

function describe({ kind, outcome, to, text }: NotificationFailure): string {
  const reason = withoutQueries(text);
  // The text of a script names it
  return kind === "script"
    ? `the script fails: ${reason}`
    : `${FAILURES[outcome] ?? "the webhook fails"}: ${to} ${reason}`;
}

function checkOfRequest({ collection }: CollectionInner): string {
  const [url, method, payload] = (["REQ_URL", "REQ_METHOD", "REQ_PAYLOAD"] as const).map((it) =>
    settingOf(collection, it)
  );
  return `Check ${url}, ${method} and ${payload}`;
}

function cureOf({ kind, outcome, status, text }: NotificationFailure, inner: CollectionInner): string {
  const { collection } = inner;
  const name = (setting: SettingName) => settingOf(collection, setting);
  if (kind === "script") {
    return `Check ${
      name("SCRIPT")
    }; its output is in the sidecar's log. It runs again by itself, and when files change`;
  }
  const again = "It is called again when files or credentials change";
  if (outcome === "refused") {
    switch (status) {
      case 401:
        return `Check ${name("REQ_USERNAME")} and ${name("REQ_PASSWORD")}, or ${name("REQ_TOKEN_FILE")}. ${again}`;
      case 403:
        return `Check what the user of ${name("REQ_USERNAME")} or ${name("REQ_TOKEN_FILE")} may do. ${again}`;
      case 404:
        return `Check the path in ${name("REQ_URL")}. ${again}`;
      case 405:
        return `Check ${name("REQ_METHOD")}. ${again}`;
      default:
        return `${checkOfRequest(inner)}. ${again}`;
    }
  }
  if (outcome === "unanswered") {
    return `Check whether the application hangs, or raise ${name("REQ_TIMEOUT")}. It may have worked all the same`;
  }
  if (/certificate|issuer/i.test(text)) return `Check ${name("REQ_CA_FILE")}. It is called again by itself`;
  return outcome === "failed"
    ? "Look at the application's own log. It is called again by itself"
    : `Check that the application runs, and ${name("REQ_URL")}. It is called again by itself`;
}
