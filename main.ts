/** The entrypoint: the only file that reads the environment and the arguments, handles signals and ends the process. */
import { EXIT, type ExitCode } from "./lib/cli/exit_codes.ts";
import { gatherEntropy } from "./lib/runtime/entropy.ts";
import { noProxyWithLoopback } from "./lib/http/proxy.ts";

/** The process ends at most this long after a signal. */
const STOP_TIMEOUT_MS = 600;

async function main(): Promise<ExitCode> {
  const stop = stopSignal();
  // Runs in the background while the modules load
  gatherEntropy().catch(() => {});
  const { runProgram } = await import("./lib/cli/program.ts");
  const env = Deno.env.toObject();
  // Deno would send even requests to localhost through a proxy
  Deno.env.set("NO_PROXY", noProxyWithLoopback(env));
  return await runProgram(Deno.args, env, stop, (listener) => Deno.addSignalListener("SIGHUP", listener));
}

/** Aborts on SIGTERM and SIGINT. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => {
      stop.abort(new Error(signal));
      setTimeout(() => Deno.exit(EXIT.done), STOP_TIMEOUT_MS);
    });
  }
  return stop.signal;
}

if (import.meta.main) Deno.exit(await main());
