import assert from "node:assert/strict";
import { NetrcError, NetrcFile, parseNetrc } from "../../lib/http/netrc.ts";
import { keptLog } from "../support/api_gateway.ts";
import { tempFolder } from "../support/disk.ts";

const entriesOf = (text: string) =>
  Object.fromEntries([...parseNetrc(text)].map(([host, { username, password }]) => [host, `${username}:${password}`]));

Deno.test("parseNetrc() reads entries in any layout", () => {
  assert.deepEqual(
    entriesOf(
      "machine a.example login u password p\nmachine\n\tB.example\r\n\tpassword p2 user u2\ndefault login d password x",
    ),
    { "a.example": "u:p", "b.example": "u2:p2", "": "d:x" },
  );
  assert.deepEqual(entriesOf(""), {});
});

Deno.test("parseNetrc() reads quotes, backslashes and #, which begins a comment only for a keyword", () => {
  assert.deepEqual(
    entriesOf(
      '# machine x\n#machine y login z\nmachine a login "u s" password "q\\"#\\\\" # and so on\nmachine b login u password #p\\ q',
    ),
    { a: 'u s:q"#\\', b: "u:#p q" },
  );
});

Deno.test("parseNetrc() passes over macros", () => {
  assert.deepEqual(
    entriesOf("machine a login u password p\nmacdef init\nmachine no\n\tlogin x\n\nmachine b login v password q"),
    {
      a: "u:p",
      b: "v:q",
    },
  );
});

Deno.test("parseNetrc() takes the last entry of a host, and the account for want of a login", () => {
  assert.deepEqual(entriesOf("machine a login u password p\nmachine a account acc password q"), { a: "acc:q" });
});

Deno.test("parseNetrc() names the line of a fault, and no password", () => {
  for (const text of ["geheim", "machine a login u\npassword p geheim x", "machine a\nlogin u password"]) {
    assert.throws(() => parseNetrc(text), (error) => {
      assert.ok(error instanceof NetrcError);
      assert.match(error.message, /^line \d/);
      assert.doesNotMatch(error.message, /geheim/);
      return true;
    });
  }
});

Deno.test("credentialsFor() reads the file at each use, and warns once when it cannot", async () => {
  using folder = tempFolder();
  const path = `${folder.path}/netrc`;
  const log = keptLog();
  const netrc = new NetrcFile(path, log);
  const of = (url: string) => netrc.credentialsFor(new URL(url));
  assert.deepEqual([await of("http://a/"), await of("http://a/"), log.lines.length], [undefined, undefined, 1]);
  Deno.writeTextFileSync(path, "machine a login u password p\nmachine ::1 login six password p");
  assert.deepEqual(await of("https://A:8443/x"), { username: "u", password: "p" });
  assert.deepEqual(await of("http://[::1]:80/"), { username: "six", password: "p" });
  assert.equal(await of("http://b/"), undefined);
  Deno.writeTextFileSync(path, "default login d password p");
  assert.deepEqual(await of("http://b/"), { username: "d", password: "p" });
  Deno.removeSync(path);
  await of("http://a/");
  assert.deepEqual(log.lines.map((line) => line.slice(0, 5)), ["warn:", "info:", "warn:"]);
  assert.equal(log.lines[1], `info: NETRC ${path} can be used again`);
});
