/** The subcommand `remove-finalizers`, for uninstalling the sidecar or turning FINALIZERS off. */
import { ApiError } from "../client/errors.ts";
import type { KubeClient, ListQuery } from "../client/client.ts";
import { FIRST_PAGE, nextPage, restartedList } from "../client/pages.ts";
import { removeFinalizer } from "./finalizer_patch.ts";
import { aboutObject, describeRef, keyOf, type ObjectRef } from "../../objects/ref.ts";
import { describeSource, type Source } from "../../objects/source.ts";

/** The part of the client that is used here. */
type RemovalClient = Pick<KubeClient, "request" | "list">;

export interface RemovalLog {
  info(message: string, properties?: Record<string, unknown>): void;
  error(message: string, properties?: Record<string, unknown>): void;
}

/**
 * Removes the finalizer from every object of the sources, including those that are being deleted. `failed` counts the
 * objects that still carry it and the sources that could not be listed; each has been logged. A running sidecar adds it
 * again: stop it first. Needs the verbs list and patch.
 *
 * @throws the signal's reason when it aborts
 */
export async function removeFinalizers(
  client: RemovalClient,
  sources: readonly Source[],
  name: string,
  signal: AbortSignal,
  log: RemovalLog,
): Promise<{ removed: number; failed: number }> {
  let removed = 0;
  let failed = 0;
  for (const source of sources) {
    const attempt = async (what: string, action: () => Promise<void>) => {
      try {
        await action();
      } catch (error) {
        signal.throwIfAborted();
        failed++;
        log.error(`${what}: ${error instanceof Error ? error.message : error}`);
      }
    };
    let refs: ObjectRef[] = [];
    await attempt(`cannot list ${describeSource(source)}`, async () => {
      refs = await carriersOf(client, source, name, signal);
    });
    for (const ref of refs) {
      await attempt(`cannot remove finalizer ${name} from ${describeRef(ref)}`, async () => {
        await removeFinalizer(client, ref, name, signal).catch(unlessGone);
        removed++;
        log.info(`removed finalizer ${name} from ${describeRef(ref)}`, aboutObject(ref));
      });
    }
  }
  const summary = `Finalizer ${name}: removed from ${removed} objects, ${failed} failures`;
  if (failed === 0) log.info(summary);
  else log.error(`${summary}; fix the causes and run this again`);
  return { removed, failed };
}

/** The objects that carry the finalizer. All pages are listed before the first change, because a slow list expires. */
async function carriersOf(
  client: RemovalClient,
  source: Source,
  name: string,
  signal: AbortSignal,
): Promise<ObjectRef[]> {
  const found = new Map<string, ObjectRef>();
  let query: ListQuery = FIRST_PAGE;
  while (true) {
    try {
      const page = client.list(source, query, signal);
      let result = await page.next();
      for (; !result.done; result = await page.next()) {
        for (const { metadata } of result.value) {
          const ref: ObjectRef = { kind: source.kind, namespace: metadata.namespace, name: metadata.name };
          if (metadata.finalizers?.includes(name)) found.set(keyOf(ref), ref);
        }
      }
      const next = nextPage(result.value);
      if (next === undefined) return [...found.values()];
      query = next;
    } catch (error) {
      const restarted = restartedList(query, error);
      if (restarted === undefined) throw error;
      query = restarted;
    }
  }
}

function unlessGone(error: unknown): void {
  if (!(error instanceof ApiError && error.status === 404)) throw error;
}
