/** Live objects of a process that was started with `--inspect`, counted by V8's own heap snapshot. */
import assert from "node:assert/strict";

export interface HeapCount {
  /** Without {@link COMPILED}. */
  objects: number;
  bytes: number;
  /** Objects by their type and, where V8 knows it, their constructor. */
  byKind: Map<string, number>;
}

interface Snapshot {
  snapshot: { meta: { node_fields: string[]; node_types: [string[], ...unknown[]] } };
  nodes: number[];
  strings: string[];
}

/** Types whose name is the constructor's or V8's own, and not a content. */
const NAMED = ["object", "native", "hidden"];

/** Types of what V8 makes of the program's functions and classes. It comes late, but has an end. */
const COMPILED = ["code", "object shape"];

/** @param file is written with the snapshot, which Chromium's developer tools read */
export async function countHeap(port: number, file?: string): Promise<HeapCount> {
  const [target] = await (await fetch(`http://127.0.0.1:${port}/json/list`)).json();
  const socket = new WebSocket(target.webSocketDebuggerUrl);
  let text = "";
  let nextId = 1;
  const waiting = new Map<number, () => void>();
  socket.onmessage = ({ data }) => {
    const { id, method, params } = JSON.parse(data);
    if (method === "HeapProfiler.addHeapSnapshotChunk") text += params.chunk;
    waiting.get(id)?.();
  };
  await new Promise((resolve, reject) => (socket.onopen = resolve, socket.onerror = reject));
  const call = (method: string) =>
    new Promise<void>((resolve) => {
      waiting.set(nextId, resolve);
      socket.send(JSON.stringify({ id: nextId++, method }));
    });
  await call("HeapProfiler.enable");
  await call("HeapProfiler.collectGarbage");
  await call("HeapProfiler.takeHeapSnapshot");
  await call("HeapProfiler.disable");
  socket.close();
  if (file !== undefined) await Deno.writeTextFile(file, text);
  return countOf(JSON.parse(text));
}

/** The kinds of which there are more, most first. */
export function growthBetween(before: HeapCount, after: HeapCount): [kind: string, more: number][] {
  const kinds = [...after.byKind].map(([kind, count]): [string, number] => [
    kind,
    count - (before.byKind.get(kind) ?? 0),
  ]);
  return kinds.filter(([, more]) => more > 0).sort(([, a], [, b]) => b - a);
}

function countOf({ snapshot: { meta }, nodes, strings }: Snapshot): HeapCount {
  const [type, name, size] = ["type", "name", "self_size"].map((field) => meta.node_fields.indexOf(field));
  assert.ok(type !== undefined && name !== undefined && size !== undefined);
  const byKind = new Map<string, number>();
  let [objects, bytes] = [0, 0];
  for (let at = 0; at < nodes.length; at += meta.node_fields.length) {
    const kind = meta.node_types[0][nodes[at + type] ?? 0] ?? "";
    if (COMPILED.includes(kind)) continue;
    const full = NAMED.includes(kind)
      ? `${kind} ${strings[nodes[at + name] ?? 0]?.replace(/@\d+/, "").slice(0, 60)}`
      : kind;
    byKind.set(full, (byKind.get(full) ?? 0) + 1);
    bytes += nodes[at + size] ?? 0;
    objects++;
  }
  return { objects, bytes, byKind };
}
