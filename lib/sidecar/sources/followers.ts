/** Follows the sources of a collection. With NAMESPACE_SELECTOR, the namespaces are listed first. */
import type { Log } from "../../log/log.ts";
import { describeSource, type Source, type WatchTarget } from "../../objects/source.ts";
import { ChosenNamespaces, oneByOne, type WatchGroup, watchGroups } from "./many_namespaces.ts";
import type { ObjectSink } from "./object_sink.ts";
import type { SelectedNamespaces } from "./selected_namespaces.ts";
import type { SharedSources, SourceTimes } from "./shared_sources.ts";

export interface FollowersOptions {
  shared: Pick<SharedSources, "follow" | "failureOf" | "timesOf">;
  sources: readonly Source[];
  namespaces: SelectedNamespaces;
  /** The receiver of the objects of a source. */
  sinkFor(source: Source): ObjectSink;
  log: Pick<Log, "info">;
}

export class Followers {
  readonly #options: FollowersOptions;
  /** What is watched for each source. */
  readonly #targets = new Map<WatchTarget, WatchTarget>();

  constructor(options: FollowersOptions) {
    this.#options = options;
  }

  /** When each source was heard of and listed. */
  get states(): SourceTimes[] {
    const { shared } = this.#options;
    return [...new Set(this.#targets.values())].flatMap((target) => shared.timesOf(target) ?? []);
  }

  /** What is followed, with NAMESPACE_SELECTOR the namespaces, too. */
  get all(): SourceTimes[] {
    const { shared, namespaces } = this.#options;
    const selected = namespaces.source && shared.timesOf(namespaces.source);
    return selected === undefined ? this.states : [selected, ...this.states];
  }

  /** Describes a source that was not listed yet, with the reason if it fails. */
  describe(source: WatchTarget): string {
    const failure = this.#options.shared.failureOf(this.#targets.get(source) ?? source);
    return failure === undefined ? describeSource(source) : `${describeSource(source)}: ${failure}`;
  }

  /** Follows everything until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { shared, namespaces, sources } = this.#options;
    const { source: selected } = namespaces;
    const runSources = async () => {
      await namespaces.known(signal);
      if (!signal.aborted) await this.#followAll(watchGroups(sources), signal);
    };
    await Promise.all([selected && shared.follow(selected, namespaces, signal), runSources()]);
  }

  /** METHOD=LIST: lists everything once. Returns the reasons of failures. */
  async list(signal: AbortSignal): Promise<string[]> {
    const { shared, namespaces, sources } = this.#options;
    const { source: selected } = namespaces;
    const failure = selected && await shared.follow(selected, namespaces, signal);
    return failure === undefined ? await this.#followAll(watchGroups(sources), signal) : [failure];
  }

  async #followAll(groups: readonly WatchGroup[], signal: AbortSignal): Promise<string[]> {
    return (await Promise.all(groups.map((group) => this.#follow(group, signal)))).flat();
  }

  /** Returns the reasons of failures. */
  async #follow(group: WatchGroup, signal: AbortSignal): Promise<string[]> {
    const { shared, sinkFor } = this.#options;
    const { target, sources } = group;
    const [first] = sources;
    for (const source of sources) this.#targets.set(source, target);
    if (sources.length > 1) return await this.#followTogether(group, signal);
    return first === undefined ? [] : asList(await shared.follow(target, sinkFor(first), signal));
  }

  /** One watch for all; if it is forbidden, one for each. */
  async #followTogether({ target, sources }: WatchGroup, signal: AbortSignal): Promise<string[]> {
    const { shared, sinkFor, log } = this.#options;
    const allowed = new AbortController();
    const onAbort = () => allowed.abort();
    signal.addEventListener("abort", onAbort, { once: true });
    let isForbidden = false;
    const sinks = new Map(sources.map((source) => [source.namespace ?? "", sinkFor(source)]));
    const receiver = new ChosenNamespaces(sinks, () => {
      isForbidden = true;
      allowed.abort();
    });
    const failure = await shared.follow(target, receiver, allowed.signal);
    signal.removeEventListener("abort", onAbort);
    if (!isForbidden || signal.aborted) return asList(failure);
    log.info(
      `not allowed to list and watch ${describeSource(target)}: ${sources.length} namespaces are followed one by one`,
    );
    return await this.#followAll(oneByOne(sources), signal);
  }
}

function asList(failure: string | undefined): string[] {
  return failure === undefined ? [] : [failure];
}
