/** What the program prints and how it ends, for commands that end by themselves. */
import { type LogLine, SidecarProcess, type StartOptions } from "./sidecar_process.ts";

/** Runs until the process ends by itself. */
export async function outcome(env: Record<string, string>, options: StartOptions = {}) {
  await using sidecar = SidecarProcess.start(env, options);
  const { code } = await sidecar.exited();
  const textOf = (wanted: LogLine["stream"]) =>
    sidecar.lines.filter(({ stream }) => stream === wanted).map(({ text }) => text);
  return { code, stdout: textOf("stdout"), stderr: textOf("stderr"), lines: sidecar.lines };
}
