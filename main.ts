/** The entrypoint: the only file that reads the environment and the arguments, hears signals and ends the process. */
import { EXIT, type ExitCode } from "./lib/cli/exit_codes.ts";
import { gatherEntropy } from "./lib/runtime/entropy.ts";
import { noProxyWithLoopback } from "./lib/http/proxy.ts";

/** Milliseconds after a signal in which everything has to be put down. */
const STOP_TIMEOUT = 600;

async function main(): Promise<ExitCode> {
  const stop = hearSignals();
  // The modules load meanwhile. Whoever needs entropy later waits for it then
  gatherEntropy().catch(() => {});
  const { runProgram } = await import("./lib/cli/program.ts");
  const env = Deno.env.toObject();
  // Deno would send even requests to this machine through a proxy
  Deno.env.set("NO_PROXY", noProxyWithLoopback(env));
  return await runProgram(Deno.args, env, stop);
}

/** A signal that aborts when the process is told to stop. */
function hearSignals(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => {
      stop.abort(new Error(signal));
      setTimeout(() => Deno.exit(EXIT.done), STOP_TIMEOUT);
    });
  }
  return stop.signal;
}

if (import.meta.main) Deno.exit(await main());
