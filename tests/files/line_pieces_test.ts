import assert from "node:assert/strict";
import { linePiecesOf } from "../../lib/files/line_pieces.ts";
import { tempFolder } from "../support/disk.ts";

const MAX_LINE = 256 * 1024;

/** The lines, and whether the last one ended. */
function read(path: string): { lines: string[]; isWhole: boolean } {
  using file = Deno.openSync(path);
  const pieces = linePiecesOf(file, file.statSync().size, MAX_LINE);
  const lines: string[] = [];
  for (let piece = pieces.next();; piece = pieces.next()) {
    if (piece.done) return { lines, isWhole: piece.value };
    lines.push(...piece.value);
  }
}

Deno.test("linePiecesOf() reads lines of any length at any place", () => {
  using folder = tempFolder();
  const path = `${folder.path}/file`;
  const lengths = [0, 1, 65_535, 65_536, 65_537, 3, 131_072, 0, 0, 200_000, 70_000, 1, 262_100];
  for (let rotated = 0; rotated < lengths.length; rotated++) {
    const lines = [...lengths.slice(rotated), ...lengths.slice(0, rotated)].map((length, at) =>
      String.fromCharCode(97 + at).repeat(length)
    );
    Deno.writeTextFileSync(path, lines.map((line) => `${line}\n`).join(""));
    assert.deepEqual(read(path), { lines, isWhole: true });
    Deno.writeTextFileSync(path, `${lines.join("\n")}\nä🎉`);
    assert.deepEqual(read(path), { lines: [...lines, "ä🎉"], isWhole: false });
  }
});

Deno.test("linePiecesOf() reads an empty file, and throws for a line that is too long", () => {
  using folder = tempFolder();
  const path = `${folder.path}/file`;
  Deno.writeTextFileSync(path, "");
  assert.deepEqual(read(path), { lines: [], isWhole: true });
  Deno.writeTextFileSync(path, `a\n${"x".repeat(MAX_LINE + 1)}\n`);
  assert.throws(() => read(path), /a line has more than 262144 bytes/);
});
