/** Stories of faults: what chance decides in them can be repeated. */
import { seeded } from "./random.ts";
import type { ControlPlaneOptions } from "./control_plane.ts";
import { stories, type Story, type StoryDetails } from "./story.ts";

/** Another in each run, unless `FAULTS_SEED` gives it. */
export const SEED = Number(Deno.env.get("FAULTS_SEED") ?? Math.floor(Math.random() * 2 ** 31));

/** `FAULTS_ROUNDS`, or as many as are quick. */
export function rounds(quick: number): number {
  return Number(Deno.env.get("FAULTS_ROUNDS") ?? quick);
}

/** Time in which something that was broken stays so. */
export async function seconds(count: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, count * 1000));
}

export type FaultStory = (
  name: string,
  run: (at: Story, random: () => number) => Promise<void>,
  details?: StoryDetails,
) => void;

/** As `stories()`; a failure names the seed by which it can be repeated. */
export function faultStories(options: ControlPlaneOptions = {}): FaultStory {
  const story = stories(options);
  return (name, run, details) => story(name, (at) => withSeed((random) => run(at, random)), details);
}

export async function withSeed(run: (random: () => number) => Promise<void>): Promise<void> {
  try {
    await run(seeded(SEED));
  } catch (error) {
    if (error instanceof Error) error.message = `FAULTS_SEED=${SEED}: ${error.message}`;
    throw error;
  }
}
