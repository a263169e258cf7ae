/** The metrics that Prometheus' client libraries have of every process, under their usual names. */
import type { MetricsRegistry } from "../../runtime/metrics_registry.ts";

/** Deno has it and does not declare it (2.9.6). In microseconds. */
const { cpuUsage } = Deno as { cpuUsage?: () => { user: number; system: number } };

export function registerProcessMetrics(registry: MetricsRegistry): void {
  registry.read(
    "gauge",
    "process_start_time_seconds",
    "Start of the process, in seconds since 1970.",
    [],
    () => [[{}, performance.timeOrigin / 1000]],
  );
  registry.read("counter", "process_cpu_seconds_total", "User and system CPU time, in seconds.", [], () => {
    if (cpuUsage === undefined) return [];
    const { user, system } = cpuUsage();
    return [[{}, (user + system) / 1e6]];
  });
  registry.read(
    "gauge",
    "process_resident_memory_bytes",
    "Resident memory, in bytes. It includes what is mapped from the binary.",
    [],
    () => [[{}, Deno.memoryUsage().rss]],
  );
}
