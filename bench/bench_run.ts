/** What the stories of one run share: the API server, the sets of objects in it, and where the figures go. */
import assert from "node:assert/strict";
import { eventually } from "../tests/support/oracle.ts";
import type { SidecarProcess } from "../tests/support/sidecar_process.ts";
import type { ApiServer } from "./api_server.ts";
import type { Figures } from "./figures.ts";
import { ObjectSet, type SetSize, titleOf } from "./object_set.ts";
import { allInPlace } from "./observer.ts";
import { startSidecar } from "./process.ts";

/** 2 kB: a datasource, a rule, a small dashboard. */
export const SMALL = 2_000;
export const STANDARD: SetSize = { count: 500, bytes: SMALL };
/** Close to the most that a ConfigMap can hold (1 MiB). */
export const LARGE: SetSize = { count: 50, bytes: 900_000 };

export interface BenchOptions {
  quick: boolean;
  rounds: number;
}

/** A sidecar that has all files in place. */
export interface SyncedSidecar {
  process: SidecarProcess;
  folder: string;
  /** Milliseconds from its spawn until the last file was in place. */
  syncTime: number;
}

export class BenchRun {
  readonly #sets = new Map<string, ObjectSet>();

  constructor(readonly api: ApiServer, readonly figures: Figures, readonly options: BenchOptions) {}

  /** The objects of this number and size; made when they are first asked for. */
  async set(size: SetSize): Promise<ObjectSet> {
    const title = titleOf(size);
    const set = this.#sets.get(title) ?? await ObjectSet.create(this.api, size);
    this.#sets.set(title, set);
    return set;
  }

  /** A fresh folder. */
  folder(): Promise<string> {
    return Deno.makeTempDir({ dir: this.api.dir, prefix: "files-" });
  }

  /** Starts a sidecar and waits until it has synced. End it by `kill9` or `stop`. */
  async sync(set: ObjectSet, settings: Record<string, string> = {}, folder?: string): Promise<SyncedSidecar> {
    const into = folder ?? await this.folder();
    const credentials = "KUBECONFIG" in settings || "SERVICE_ACCOUNT_DIR" in settings ? {} : await this.api.inCluster();
    const env = { ...set.environment(into), ...credentials, ...settings };
    const startedAt = performance.now();
    const process = startSidecar(env, `${into}.log`);
    try {
      const syncTime = await allInPlace(set, into) - startedAt;
      await eventually(async () => assert.equal((await process.health("/readyz")).status, 200));
      return { process, folder: into, syncTime };
    } catch (error) {
      await process.kill9();
      throw error;
    }
  }
}

/** Does something once a round. */
export async function eachRound({ options }: BenchRun, act: () => Promise<void>): Promise<void> {
  for (let round = 0; round < options.rounds; round++) await act();
}
