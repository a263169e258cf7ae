/** Reads of a KubeClient from beginning to end. */
import type { KubeClient, ListQuery, WatchEvent } from "../../lib/kube/client/client.ts";
import type { KubeObject } from "../../lib/objects/object.ts";
import type { Source } from "../../lib/objects/source.ts";

export const ALL: Source = { kind: "ConfigMap" };

export const never = () => new AbortController().signal;

export async function listAll(client: KubeClient, source: Source = ALL, query: ListQuery = {}, signal = never()) {
  const objects: KubeObject[] = [];
  const page = client.list(source, query, signal);
  while (true) {
    const { done, value } = await page.next();
    if (done) return { names: objects.map(({ metadata }) => metadata.name), result: value };
    objects.push(...value);
  }
}

/** The events of a watch, one by one. */
export async function* watch(
  client: KubeClient,
  signal = never(),
  onAnswer = () => {},
): AsyncGenerator<WatchEvent, void> {
  for await (const events of client.watch(ALL, { resourceVersion: "1", timeoutSeconds: 60 }, signal, onAnswer)) {
    yield* events;
  }
}
