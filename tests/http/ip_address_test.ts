import assert from "node:assert/strict";
import { addressBits, embeddedIpv4, isRange, rangeCovers } from "../../lib/http/ip_address.ts";

Deno.test("addressBits() reads IPv4 and IPv6, and nothing else", () => {
  assert.equal(addressBits("1.2.3.4"), "00000001000000100000001100000100");
  assert.equal(addressBits("::1"), "1".padStart(128, "0"));
  assert.equal(addressBits("fe80::1%eth0"), addressBits("fe80:0:0:0:0:0:0:1"));
  for (const text of ["", "localhost", "1.2.3", "1.2.3.256", "1.2.3.4.5", ":", "1::2::3", "g::"]) {
    assert.equal(addressBits(text), undefined, text);
  }
});

Deno.test("rangeCovers() compares the first bits of the same family", () => {
  assert.ok(rangeCovers("10.0.0.0/8", "10.255.0.1"));
  assert.ok(!rangeCovers("10.0.0.0/8", "11.0.0.1"));
  assert.ok(rangeCovers("0.0.0.0/0", "1.2.3.4"));
  assert.ok(!rangeCovers("0.0.0.0/0", "::1"));
  assert.ok(rangeCovers("fe80::/10", "febf::1"));
  assert.ok(rangeCovers("1.2.3.4", "1.2.3.4"));
});

Deno.test("isRange() is true of addresses and CIDRs", () => {
  assert.deepEqual(["1.2.3.4", "::/0", "1.2.3.0/24"].map(isRange), [true, true, true]);
  assert.deepEqual(["a", "1.2.3.4/33", "1.2.3.4/", "1.2.3.4/1/2", "::/129"].map(isRange), Array(5).fill(false));
});

Deno.test("embeddedIpv4() finds the IPv4 address behind an IPv6 one", () => {
  for (const address of ["::ffff:1.2.3.4", "::1.2.3.4", "64:ff9b::1.2.3.4", "2002:102:304::1"]) {
    assert.equal(embeddedIpv4(address), "1.2.3.4", address);
  }
  for (const address of ["::", "::1", "fe80::1", "1.2.3.4", "2606:4700::1"]) {
    assert.equal(embeddedIpv4(address), undefined);
  }
});
