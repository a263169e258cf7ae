import assert from "node:assert/strict";
import { refusalOf, type StatusPolicy } from "../../lib/serve/status_policy.ts";

/** [address of the client, host that it asks for, whether it is admitted] */
const LOCAL: [remote: string, host: string | undefined, isAdmitted: boolean][] = [
  ["127.0.0.1", "localhost:8080", true],
  ["127.0.0.1", "127.0.0.1:8080", true],
  ["::1", "[::1]:8080", true],
  ["::ffff:127.0.0.1", "LOCALHOST", true],
  ["127.0.0.1", undefined, true],
  ["127.0.0.1", "stranger.example:8080", false],
  ["127.0.0.1", "localhost.stranger.example", false],
  ["127.0.0.2", "localhost:8080", false],
  ["::ffff:127.0.0.2", "localhost:8080", false],
  ["10.1.2.3", "localhost:8080", false],
  ["", "localhost:8080", false],
];

const refusal = (remote: string, host: string | undefined, policy: StatusPolicy) =>
  refusalOf({ remote, headers: new Headers(host === undefined ? {} : { host }) }, policy);

for (const [remote, host, isAdmitted] of LOCAL) {
  Deno.test(`refusalOf() ${isAdmitted ? "admits" : "refuses"} ${remote || "nobody"} asking for ${host}`, () => {
    assert.equal(refusal(remote, host, "local") === undefined, isAdmitted);
    assert.equal(refusal(remote, host, "all"), undefined);
    assert.match(refusal(remote, host, "none") ?? "", /STATUS_PAGE=none/);
  });
}
