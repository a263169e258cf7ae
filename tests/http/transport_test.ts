import assert from "node:assert/strict";
import { headersFrom, redactUrl } from "../../lib/http/transport.ts";

Deno.test("redactUrl() hides user info, query values and the fragment", () => {
  assert.equal(
    redactUrl("https://user:pw@jenkins:8080/reload-jcasc/?casc-reload-token=geheim&x=1&geheim#frag"),
    "https://jenkins:8080/reload-jcasc/?casc-reload-token=***&x=***&***",
  );
  assert.equal(redactUrl("http://host/a/b"), "http://host/a/b");
  assert.equal(redactUrl("geheim"), "(not a URL)");
});

Deno.test("headersFrom() quotes no value that is not allowed", () => {
  for (const value of ["Bearer one\nsecret", "Bearer secr\u00e9\u2028"]) {
    assert.throws(() => headersFrom({ authorization: value }), ({ message }) => !message.includes("sec"));
  }
});
