/** Follows CONFIG_FILE: a new version replaces the collections, a broken one changes nothing. */
import type { Collection } from "../../config/collection_settings.ts";
import { parentOf } from "../../files/paths.ts";
import type { Log } from "../../log/log.ts";
import { Alarm } from "../../runtime/alarm.ts";
import type { Clock } from "../../runtime/clock.ts";
import { followFolder } from "../../runtime/folder_changes.ts";
import type { Heartbeat } from "../../runtime/heartbeat.ts";
import { messageOf } from "../../runtime/message_of.ts";

export interface ConfigVersion {
  collections: readonly Collection[];
  /** One line each; if there are any, the version is not used. */
  faults: readonly string[];
  warnings: readonly string[];
}

/** The file that CONFIG_FILE names. */
export interface FollowedFile {
  /** Absolute. */
  path: string;
  /** The content that the process started with. */
  text: string;
  /** All collections, those of the environment included. */
  parse(text: string): ConfigVersion | Promise<ConfigVersion>;
  /** Calls the listener at each SIGHUP. */
  onHangup(listener: () => void): void;
}

export interface ReloadOptions {
  file: FollowedFile;
  collections: { replace(collections: readonly Collection[]): Promise<void> };
  /** Called after each attempt to use another version. */
  onResult(isUsed: boolean): void;
  heartbeat: Pick<Heartbeat, "expectWithin" | "idle">;
  clock: Clock;
  log: Log;
}

/** Time between two looks at the file without an announced change: not every file system announces changes. */
const LOOK_MS = 60_000;

/** Time without a change before the file is read: an editor's save and the kubelet's update cause several. */
const QUIET_MS = 100;

/** Time that an empty file is given until somebody has written it. */
const EMPTY_MS = 1000;

/** Maximum seconds to replace collections: each must end its requests first. */
const MAX_REPLACE_SECONDS = 300;

/** Faults in one log line. */
const MAX_FAULTS = 10;

export class Reload {
  readonly #options: ReloadOptions;
  readonly #alarm: Alarm;
  #dueAt: number;
  /** The content that was read last. */
  #text: string;
  /** Why the version that was read last is not used; `undefined`: it is. */
  #fault: string | undefined;
  #isAskedFor = false;
  /** The last look found an empty file. */
  #wasEmpty = false;
  #loadedAt: number;
  #warnings: readonly string[] | undefined;

  constructor(options: ReloadOptions) {
    this.#options = options;
    this.#alarm = new Alarm(options.clock);
    this.#text = options.file.text;
    this.#loadedAt = options.clock.now();
    this.#dueAt = this.#loadedAt + LOOK_MS;
    options.file.onHangup(() => {
      this.#isAskedFor = true;
      this.#lookIn(0);
    });
  }

  /** Why the file as it is now is not used, in one line; `undefined`: it is. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** When the version in use was read, by the clock in ms. */
  get loadedAt(): number {
    return this.#loadedAt;
  }

  /** Of the version in use; `undefined`: it is that of the start. */
  get warnings(): readonly string[] | undefined {
    return this.#warnings;
  }

  get path(): string {
    return this.#options.file.path;
  }

  /** Follows the file until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, heartbeat } = this.#options;
    const listening = this.#listen(signal);
    while (!signal.aborted) {
      heartbeat.expectWithin(LOOK_MS / 1000 + MAX_REPLACE_SECONDS);
      if (clock.now() < this.#dueAt) await this.#alarm.sleepUntil(this.#dueAt, signal);
      else await this.#look();
    }
    heartbeat.idle();
    await listening;
  }

  #lookIn(ms: number): void {
    this.#dueAt = Math.min(this.#dueAt, this.#options.clock.now() + ms);
    this.#alarm.ring();
  }

  async #look(): Promise<void> {
    const { clock, file, log } = this.#options;
    this.#dueAt = clock.now() + LOOK_MS;
    const isAskedFor = this.#isAskedFor;
    this.#isAskedFor = false;
    try {
      // A FIFO would be read for ever
      if (!(await Deno.stat(file.path)).isFile) throw new Error("it is no file");
      const text = await Deno.readTextFile(file.path);
      if (text === this.#text && this.#fault === undefined) {
        if (isAskedFor) log.info(`${file.path} is unchanged`, { path: file.path });
        return;
      }
      // Whoever writes the file in place empties it first
      if (text === "" && !this.#wasEmpty) {
        this.#wasEmpty = true;
        return this.#lookIn(EMPTY_MS);
      }
      this.#wasEmpty = false;
      this.#text = text;
      await this.#use(text);
    } catch (error) {
      this.#refuse(`${file.path} cannot be used: ${messageOf(error)}`);
    }
  }

  async #use(text: string): Promise<void> {
    const { file, collections, onResult, log } = this.#options;
    const version = await file.parse(text);
    if (version.faults.length > 0) return this.#refuse(version.faults.slice(0, MAX_FAULTS).join("; "));
    for (const warning of version.warnings) log.warn(warning);
    await collections.replace(version.collections);
    this.#fault = undefined;
    this.#warnings = version.warnings;
    this.#loadedAt = this.#options.clock.now();
    log.info(`${file.path} was read again: ${version.collections.map(({ name }) => name).join(", ")}`, {
      path: file.path,
    });
    onResult(true);
  }

  #refuse(fault: string): void {
    const { file, onResult, log } = this.#options;
    const isNews = fault !== this.#fault;
    this.#fault = fault;
    onResult(false);
    if (isNews) {
      log.error(`the new CONFIG_FILE is not used; the sidecar goes on with the one before: ${fault}`, {
        path: file.path,
      });
    }
  }

  /** Listens for announced changes in the file's directory, where the kubelet and editors replace it. */
  async #listen(signal: AbortSignal): Promise<void> {
    try {
      const following = followFolder(parentOf(this.#options.file.path), {
        recursive: false,
        signal,
        onChange: ({ kind }) => kind === "access" || this.#lookIn(QUIET_MS),
      });
      // It may have changed since the process read it
      this.#lookIn(0);
      await following;
    } catch (error) {
      this.#options.log.debug(`changes of CONFIG_FILE are not announced: ${messageOf(error)}`);
    }
  }
}
