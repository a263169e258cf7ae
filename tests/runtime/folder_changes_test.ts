import assert from "node:assert/strict";
import { followFolder } from "../../lib/runtime/folder_changes.ts";
import { tempFolder } from "../support/disk.ts";
import { until } from "../support/local_servers.ts";

Deno.test("followFolder() announces changes until it is stopped", async () => {
  using folder = tempFolder();
  const seen: string[] = [];
  const stop = new AbortController();
  const end = followFolder(folder.path, {
    recursive: true,
    signal: stop.signal,
    onChange: ({ paths }) => seen.push(...paths),
  });
  Deno.writeTextFileSync(`${folder.path}/a`, "a");
  await until(() => seen.includes(`${folder.path}/a`));
  stop.abort();
  await end;
});

Deno.test("followFolder() can be stopped when somebody has made a FIFO", async () => {
  using folder = tempFolder();
  Deno.mkdirSync(`${folder.path}/sub`);
  // In a process of its own, because it is the thread of JavaScript that would wait
  const program = `
    import { followFolder } from ${JSON.stringify(import.meta.resolve("../../lib/runtime/folder_changes.ts"))};
    const dir = ${JSON.stringify(folder.path)};
    const stop = new AbortController();
    const end = followFolder(dir, { recursive: true, signal: stop.signal, onChange() {} });
    await new Deno.Command("mkfifo", { args: [dir + "/sub/fifo"] }).output();
    await new Promise((resolve) => setTimeout(resolve, 200));
    stop.abort();
    await end;
    await new Promise((resolve) => setTimeout(resolve, 200));
    Deno.exit(7);
  `;
  const child = new Deno.Command(Deno.execPath(), { args: ["eval", program], signal: AbortSignal.timeout(20_000) });
  assert.equal((await child.output()).code, 7);
});
