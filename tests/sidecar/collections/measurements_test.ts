import assert from "node:assert/strict";
import { ArchiveError } from "../../../lib/downloads/archive_error.ts";
import { PublishError } from "../../../lib/files/publish_error.ts";
import { RefusedHostError } from "../../../lib/http/transport.ts";
import { Measurements } from "../../../lib/sidecar/collections/measurements.ts";
import { SidecarMetrics } from "../../../lib/serve/metrics.ts";
import { FakeClock } from "../../support/fake_clock.ts";

function open() {
  const clock = new FakeClock();
  const metrics = new SidecarMetrics({ build: { version: "", revision: "" }, clock, wallClock: () => 0 });
  const measurements = new Measurements(metrics.forCollection("a"), clock);
  /** Samples that are not 0, without prefix and collection. */
  const counted = (name: string) =>
    metrics.render("text").split("\n").filter((line) => line.startsWith(`k8s_sidecar_${name}{`) && !line.endsWith(" 0"))
      .map((line) => line.replace(/^.*collection="a",?/, ""));
  return { clock, measurements, counted };
}

const noSpace = () => Object.assign(new Error("No space left on device"), { code: "ENOSPC" });

Deno.test("downloadAttempt() tells failures of servers, refusals and errors of the disk apart", () => {
  const { measurements, counted } = open();
  measurements.downloadAttempt(true);
  measurements.downloadAttempt(true, new TypeError("connection refused"));
  measurements.downloadAttempt(true, new ArchiveError("not gzip"));
  measurements.downloadAttempt(true, new RefusedHostError(new URL("http://host/")));
  measurements.downloadAttempt(true, noSpace());
  // Unpacking is no download
  measurements.downloadAttempt(false);
  measurements.downloadAttempt(false, new PublishError("full", { cause: noSpace() }));
  measurements.downloadAttempt(false, new PublishError("a directory is in the way"));
  assert.deepEqual(counted("url_downloads_total"), [
    'result="success"} 1',
    'result="failure"} 2',
    'result="refused"} 2',
  ]);
  assert.deepEqual(counted("write_errors_total"), ['code="ENOSPC"} 2', 'code="other"} 1']);
});

Deno.test("fileEvent() counts files, and times those of a change in a watch", async () => {
  const { clock, measurements, counted } = open();
  const ref = { kind: "ConfigMap", namespace: "b", name: "c" } as const;
  measurements.propagation.received("ConfigMap/b/c");
  await clock.advance(0.02);
  measurements.fileEvent({ type: "written", ref, paths: ["/x", "/y"] });
  measurements.fileEvent({ type: "written", ref, paths: ["/x"] });
  assert.deepEqual(counted("file_writes_total"), ["} 3"]);
  assert.deepEqual(counted("propagation_seconds_sum"), ["} 0.02"]);
});

Deno.test("begin() shows what the parts have, until end()", () => {
  const { measurements, counted } = open();
  const census = { objects: new Map(), files: 2, bytes: 3, refused: new Map(), collisions: 0 };
  measurements.begin({
    reconciler: { census: (undelivered) => ({ ...census, files: [...undelivered].length }) },
    downloads: { refused: ["/a", "/b"] },
    followers: { states: [] },
    notifications: { isPending: true, pendingSince: 0 },
  }, { quietPeriod: 1, maxWait: 1, skipInit: false, script: { path: "/s", timeout: 1 } });
  assert.deepEqual(counted("files"), ["} 2"]);
  assert.deepEqual(counted("notification_pending"), ["} 1"]);
  measurements.end();
  assert.deepEqual(counted("files"), []);
});
