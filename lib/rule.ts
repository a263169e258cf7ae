/** One rule at work: its sources are followed, its files kept, its application told. */
import { basicAuthorization, credentialsFrom } from "./basic_auth.ts";
import type { Clock } from "./clock.ts";
import type { Config, Rule, Selection } from "./config.ts";
import { Journal } from "./files/journal.ts";
import { RESERVED_PREFIX, resolvePath } from "./files/projection.ts";
import { Publisher } from "./files/publisher.ts";
import { UrlDownloads } from "./files/url_downloads.ts";
import { ApiError } from "./kube/api_error.ts";
import type { KubeClient } from "./kube/client.ts";
import { describeSource, type KubeObject, type ObjectRef, type Source } from "./kube/objects.ts";
import { sourcesOf } from "./kube/sources.ts";
import { Watcher, type WatcherEvent } from "./kube/watcher.ts";
import type { Log } from "./log.ts";
import { openNotifications } from "./notifications.ts";
import type { NotificationRunner } from "./notify/runner.ts";
import { type FileEvent, Reconciler } from "./reconciler.ts";
import { Progress } from "./serve/health.ts";
import type { SidecarMetrics } from "./sidecar_metrics.ts";
import type { Transport } from "./transport.ts";

export interface RuleOptions {
  rule: Rule;
  config: Config;
  client: KubeClient;
  /** For all HTTP requests but the API server's. */
  transport: () => Promise<Transport>;
  metrics: SidecarMetrics;
  clock: Clock;
  random: () => number;
  log: Log;
}

/** How METHOD=LIST ended. */
export interface ListOutcome {
  /** Why a source could not be listed. */
  apiFailures: string[];
  /** Why files could not be written. */
  fileFailures: string[];
}

/** Seconds beyond WATCH_CLIENT_TIMEOUT in which a client that has ended a silent watch has its next answer. */
const RECONNECT_GRACE = 10;

/** METHOD=LIST gives up after so many failures in a row of one source: whoever waits for it can start it again. */
const LIST_ATTEMPTS = 3;

export class RunningRule {
  readonly progress: readonly Progress[];
  readonly #options: RuleOptions;
  readonly #sources: readonly Source[];
  readonly #reconciler: Reconciler;
  readonly #downloads: UrlDownloads;
  readonly #notifications: NotificationRunner | undefined;
  /** Why a source fails now; a source that works is not in it. */
  readonly #failing = new Map<Source, string>();
  readonly #phase: { isFirstSync: boolean };

  private constructor(
    options: RuleOptions,
    sources: readonly Source[],
    parts: {
      reconciler: Reconciler;
      downloads: UrlDownloads;
      notifications: NotificationRunner | undefined;
      phase: { isFirstSync: boolean };
    },
  ) {
    this.#options = options;
    this.#sources = sources;
    this.#reconciler = parts.reconciler;
    this.#downloads = parts.downloads;
    this.#notifications = parts.notifications;
    this.#phase = parts.phase;
    const { clientTimeout } = options.config.watch;
    this.progress = sources.map((source) =>
      new Progress(describeSource(source), clientTimeout + RECONNECT_GRACE, options.clock)
    );
  }

  /**
   * Reads the journal and prepares the folder; no request is made yet, but to learn the namespace of the credentials.
   *
   * @throws {PublishError} the folder can neither be found nor made
   */
  static async open(options: RuleOptions): Promise<RunningRule> {
    const { rule, config, client, clock, random, log, metrics } = options;
    const { selection, files } = rule;
    const sources = sourcesOf(selection, selection.namespaces === "OWN" ? await client.namespace() : "");
    const folder = resolvePath(Deno.cwd(), files.folder);
    const allowedFolders = files.allowedFolders.map((allowed) => resolvePath("/", allowed));
    const id = await selectionId(selection);
    const journal = new Journal(
      files.stateFile === "none" ? undefined : files.stateFile ?? `${folder}/${RESERVED_PREFIX}${id}`,
      log,
    );
    const { script, webhook, skipInit } = rule.notification;
    const phase = { isFirstSync: true };
    const publisher = new Publisher({
      folder,
      allowedFolders,
      mode: files.mode,
      journal,
      id,
      random,
      beforeChange: (path) => {
        if (script !== undefined || (webhook !== undefined && !(skipInit && phase.isFirstSync))) journal.owe([path]);
      },
      log,
    });
    const notifications = await openNotifications({
      settings: rule.notification,
      requests: config.requests,
      transport: options.transport,
      debt: {
        load: () => journal.owed && [...journal.owed],
        // the publisher has recorded each path before it changed it
        owe: () => {},
        paid: () => journal.paid(),
      },
      clock,
      random,
      log,
      onResult: (kind, ok, seconds) => metrics.notified(kind, ok, seconds),
    });
    const onEvent = (event: FileEvent) => {
      metrics.fileEvent(event);
      if (event.type !== "written" && event.type !== "removed") return;
      notifications?.changed(event.paths, { initial: phase.isFirstSync });
    };
    const downloads = new UrlDownloads({
      content: lazyUrlContent(options),
      publisher,
      onWritten: (ref, path) => onEvent({ type: "written", ref, paths: [path] }),
      onFailed: (ref, reason) => onEvent({ type: "failed", ref, reason }),
      firstBackoff: config.watch.firstBackoff,
      clock,
      random,
      log,
    });
    const reconciler = new Reconciler({
      settings: {
        folder,
        folderAnnotation: files.folderAnnotation,
        allowedFolders,
        uniqueFilenames: files.uniqueFilenames,
      },
      sources,
      publisher,
      journal,
      downloads,
      read: (source, ref, signal) => readObject(client, source, ref, signal),
      onEvent,
      clock,
      random,
      firstBackoff: config.watch.firstBackoff,
      log,
    });
    return new RunningRule(options, sources, { reconciler, downloads, notifications, phase });
  }

  get objects(): number {
    return this.#reconciler.objects;
  }

  get files(): number {
    return this.#reconciler.files;
  }

  get isNotificationOwed(): boolean {
    return this.#notifications?.owed ?? false;
  }

  /** Why the first sync is not complete, in one line; `undefined` once it is. */
  notReady(): string | undefined {
    if (!this.#phase.isFirstSync) return undefined;
    const [source] = this.#reconciler.unsynced;
    if (source !== undefined) {
      const reason = this.#failing.get(source);
      return `not synced yet: ${describeSource(source)}${reason === undefined ? "" : `: ${reason}`}`;
    }
    return `not synced yet: ${this.#reconciler.failures[0] ?? "files are being written"}`;
  }

  /** METHOD=WATCH and METHOD=SLEEP: until the signal aborts. */
  async run(mode: "watch" | "list", signal: AbortSignal): Promise<void> {
    const whenSynced = this.#reconciler.synced.then(() => {
      this.#phase.isFirstSync = false;
      this.#options.log.info("Initial sync complete, sidecar is ready.", { objects: this.objects, files: this.files });
    });
    await Promise.all([
      ...this.#sources.map((source, index) => this.#follow(source, index, mode, signal)),
      this.#reconciler.run(signal),
      this.#notifications?.run(signal),
      Promise.race([whenSynced, aborted(signal)]),
    ]);
    this.#downloads.close();
  }

  /** METHOD=LIST: every source once, every file once, and the application is told once. */
  async list(signal: AbortSignal): Promise<ListOutcome> {
    await Promise.all(this.#sources.map((source, index) => this.#follow(source, index, "once", signal)));
    await this.#reconciler.settle(signal);
    const outcome = {
      apiFailures: [...this.#failing].map(([source, reason]) => `${describeSource(source)}: ${reason}`),
      fileFailures: [
        ...this.#reconciler.failures,
        ...[...this.#downloads.failed].map((path) => `no content for ${path}`),
      ],
    };
    this.#downloads.close();
    await this.#notifications?.flush(signal);
    return outcome;
  }

  async #follow(source: Source, index: number, mode: "watch" | "list" | "once", signal: AbortSignal): Promise<void> {
    const { config, client, clock, random } = this.#options;
    const watcher = new Watcher({
      client,
      source,
      mode: mode === "watch" ? "watch" : "list",
      listPeriod: config.watch.sleepTime,
      serverTimeout: config.watch.serverTimeout,
      clientTimeout: config.watch.clientTimeout,
      resyncPeriod: config.watch.resyncPeriod,
      firstBackoff: config.watch.firstBackoff,
      clock,
      random,
      onProgress: (pause) => this.progress[index]?.made(pause),
    });
    for await (const event of watcher.run(signal)) {
      this.#take(source, event);
      if (mode !== "once") continue;
      if (event.type === "initDone" || (event.type === "failed" && isFinal(event))) return;
    }
  }

  #take(source: Source, event: WatcherEvent): void {
    switch (event.type) {
      case "init":
        return this.#reconciler.beginList(source);
      case "initApply":
        return this.#reconciler.apply(source, event.object, true);
      case "initDone":
        this.#recovered(source);
        return this.#reconciler.endList(source);
      case "apply":
        this.#recovered(source);
        return this.#reconciler.apply(source, event.object, false);
      case "delete":
        this.#recovered(source);
        return this.#reconciler.delete(source, event.object);
      case "failed":
        return this.#failed(source, event);
    }
  }

  /** One line when something begins to fail and one when it changes; what only repeats is for the debug log. */
  #failed(source: Source, { error, retryIn, failures }: WatcherEvent & { type: "failed" }): void {
    const { log, metrics } = this.#options;
    const reason = reasonOf(error, source);
    metrics.watchFailed(error);
    const isNews = this.#failing.get(source) !== reason;
    const again = `again in ${retryIn.toFixed(1)} s`;
    if (retryIn === 0) return log.debug(`listing ${describeSource(source)} anew: ${reason}`);
    this.#failing.set(source, reason);
    if (!isNews) log.debug(`${reason}; ${again}`, { failures });
    else if (error instanceof ApiError && error.status < 500 && error.status !== 429) log.error(`${reason}; ${again}`);
    else log.warn(`${reason}; ${again}`, { failures });
  }

  #recovered(source: Source): void {
    if (this.#failing.delete(source)) this.#options.log.info(`following ${describeSource(source)} again`);
  }
}

/** In METHOD=LIST: whether to wait is no use. */
function isFinal({ error, failures }: WatcherEvent & { type: "failed" }): boolean {
  const refused = error instanceof ApiError && error.status < 500 && error.status !== 429 && !error.isExpired;
  return refused || failures >= LIST_ATTEMPTS;
}

function reasonOf(error: unknown, source: Source): string {
  if (error instanceof ApiError && error.isForbidden) {
    const verb = error.message.includes("cannot watch") ? "watch" : "list";
    return `not allowed to ${verb} ${
      describeSource(source)
    }: give the service account get, list and watch there by RBAC`;
  }
  return error instanceof Error ? error.message : String(error);
}

/** Reads one object anew, through a list: that right is there already, and it says, too, whether it is still selected. */
async function readObject(
  client: KubeClient,
  source: Source,
  { namespace, name }: ObjectRef,
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  let found: KubeObject | undefined;
  for await (const object of client.list({ ...source, namespace, name }, {}, signal)) found = object;
  return found;
}

/** Downloads are rare: what makes them is loaded with the first. */
function lazyUrlContent({ rule, config, transport, clock, log }: RuleOptions): {
  fetchTo: import("./files/url_content.ts").UrlContent["fetchTo"];
} {
  const { retry, timeout, encoding, ...credentials } = config.requests;
  const webhook = rule.notification.webhook;
  const origin = webhook === undefined ? undefined : new URL(webhook.url).origin;
  const readCredentials = credentialsFrom(credentials);
  const load = async () => {
    const { UrlContent } = await import("./files/url_content.ts");
    return new UrlContent({
      transport: await transport(),
      retry,
      timeout,
      maxBytes: rule.files.urlMaxBytes,
      enable5xx: rule.files.enable5xx,
      authorizationFor: async (url) => {
        const known = url.origin === origin ? await readCredentials() : undefined;
        return known && basicAuthorization(known, encoding);
      },
      clock,
      log,
    });
  };
  let loaded: ReturnType<typeof load> | undefined;
  return { fetchTo: async (...request) => await (await (loaded ??= load())).fetchTo(...request) };
}

/** Tells selections apart, so that sidecars with different ones can share a folder. */
async function selectionId({ labelSelector, names, kinds, namespaces }: Selection): Promise<string> {
  const text = JSON.stringify([labelSelector ?? null, names, kinds, namespaces]);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(digest).slice(0, 5).toHex();
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
