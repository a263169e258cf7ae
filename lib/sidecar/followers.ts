/** Follows the sources of a collection. With NAMESPACE_SELECTOR, the namespaces are listed first. */
import type { WatchSettings } from "../config/config.ts";
import type { ListWatch } from "../kube/client/object_api.ts";
import type { Restart } from "../kube/watch/restarts.ts";
import { Watcher } from "../kube/watch/watcher.ts";
import type { Log } from "../log/log.ts";
import { describeSource, type Source, type WatchTarget } from "../objects/source.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Liveness } from "./liveness.ts";
import type { ObjectSink } from "./object_sink.ts";
import type { Outages } from "./outages.ts";
import type { SelectedNamespaces } from "./selected_namespaces.ts";
import { SourceFollower } from "./source_follower.ts";

export interface FollowersOptions {
  client: ListWatch;
  sources: readonly Source[];
  namespaces: SelectedNamespaces;
  /** The receiver of the objects of a source. */
  sinkFor(source: Source): ObjectSink;
  watch: WatchSettings;
  liveness: Pick<Liveness, "heartbeat">;
  outages: Outages;
  /** A watch or a list has to be made again. */
  onRestart(restart: Restart): void;
  clock: Clock;
  random: () => number;
  log: Log;
}

type Mode = "watch" | "list";

export class Followers {
  readonly #options: FollowersOptions;
  #all: readonly SourceFollower[] = [];

  constructor(options: FollowersOptions) {
    this.#options = options;
  }

  /** When each source was heard of and listed. */
  get states(): readonly Pick<SourceFollower, "source" | "contactAt" | "syncedAt">[] {
    return this.#all;
  }

  /** Describes a source that was not listed yet, with the reason if it fails. */
  describe(source: WatchTarget): string {
    const failure = this.#all.find((follower) => follower.source === source)?.failure;
    return failure === undefined ? describeSource(source) : `${describeSource(source)}: ${failure}`;
  }

  /** Follows everything until the signal aborts. */
  async run(mode: Mode, signal: AbortSignal): Promise<void> {
    const { namespaces } = this.#options;
    const { ofNamespaces, ofSources } = this.#open(mode);
    const run = (follower: SourceFollower) => follower.run(signal, { once: false });
    const runSources = async () => {
      await namespaces.known(signal);
      await Promise.all(ofSources.map(run));
    };
    await Promise.all([...ofNamespaces.map(run), runSources()]);
  }

  /** Lists everything once. Returns the reasons of failures. */
  async list(signal: AbortSignal): Promise<string[]> {
    const { ofNamespaces, ofSources } = this.#open("list");
    for (const followers of [ofNamespaces, ofSources]) {
      await Promise.all(followers.map((follower) => follower.run(signal, { once: true })));
      const failures = followers.flatMap(({ failure }) => failure ?? []);
      if (failures.length > 0) return failures;
    }
    return [];
  }

  #open(mode: Mode): { ofNamespaces: SourceFollower[]; ofSources: SourceFollower[] } {
    const { namespaces, sources, sinkFor } = this.#options;
    const { source: selected } = namespaces;
    const ofNamespaces = selected === undefined ? [] : [this.#follower(selected, namespaces, mode)];
    const ofSources = sources.map((source) => this.#follower(source, sinkFor(source), mode));
    this.#all = [...ofNamespaces, ...ofSources];
    return { ofNamespaces, ofSources };
  }

  #follower(source: WatchTarget, sink: ObjectSink, mode: Mode): SourceFollower {
    const { client, watch, liveness, clock, random } = this.#options;
    const watcher = new Watcher({
      client,
      source,
      mode,
      ...watch,
      clock,
      random,
      heartbeat: liveness.heartbeat(`the watch of ${describeSource(source)}`),
      onContact: () => follower.contacted(),
      onRestart: this.#options.onRestart,
    });
    const follower: SourceFollower = new SourceFollower({ ...this.#options, source, watcher, sink });
    return follower;
  }
}
