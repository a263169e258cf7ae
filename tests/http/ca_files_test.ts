import assert from "node:assert/strict";
import { openTransportWithCaFiles } from "../../lib/http/ca_files.ts";
import { keptLog } from "../support/api_gateway.ts";
import { CertificateAuthority } from "../support/certificates.ts";
import { tempFolder } from "../support/disk.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { serve } from "../support/local_servers.ts";

/** A server with a certificate of an authority of its own. */
async function companyServer(folder: string) {
  Deno.mkdirSync(folder);
  const authority = await CertificateAuthority.create(folder);
  await authority.serverCertificate("server");
  const read = (name: string) => Deno.readTextFileSync(`${folder}/${name}`);
  const server = serve(() => new Response("ok"), { cert: read("server.crt"), key: read("server.key") });
  return { pem: authority.pem, file: authority.file, url: `https://127.0.0.1:${server.port}/`, server };
}

Deno.test("openTransportWithCaFiles() trusts the CAs of every good file, and warns of the others", async () => {
  using folder = tempFolder();
  const company = await companyServer(`${folder.path}/company`);
  await using _ = company.server;
  const bad = `${folder.path}/bad.pem`;
  Deno.writeTextFileSync(bad, "no PEM");
  const log = keptLog();
  const files = [`${folder.path}/missing.pem`, bad, company.file, company.file];
  const transport = await openTransportWithCaFiles({ files, transport: {}, clock: new FakeClock(), log });
  assert.equal(await (await transport.fetch(company.url)).text(), "ok");
  assert.equal(log.lines.length, 2);
  assert.match(
    log.lines.join("\n"),
    /missing\.pem are not trusted: .*\n.*bad\.pem are not trusted: it holds no certificate/,
  );
  transport.close();
});

Deno.test("openTransportWithCaFiles() reads the files again once a server is not trusted, each minute at most", async () => {
  using folder = tempFolder();
  const company = await companyServer(`${folder.path}/company`);
  await using _ = company.server;
  const file = `${folder.path}/ca.pem`;
  const clock = new FakeClock();
  const log = keptLog();
  const transport = await openTransportWithCaFiles({ files: [file], transport: {}, clock, log });
  await clock.advance(60);
  await assert.rejects(transport.fetch(company.url), /certificate/);
  Deno.writeTextFileSync(file, company.pem);
  await clock.advance(59);
  await assert.rejects(transport.fetch(company.url), /certificate/);
  await clock.advance(1);
  assert.equal(await (await transport.fetch(company.url)).text(), "ok");
  assert.equal(log.lines.length, 2);
  assert.equal(log.lines[1], `info: CAs of ${file} are trusted again`);
  transport.close();
});

Deno.test("openTransportWithCaFiles() serves connections through node:https, too", async () => {
  using folder = tempFolder();
  const company = await companyServer(`${folder.path}/company`);
  await using _ = company.server;
  const { nodeTransport } = await import("../../lib/http/node_transport.ts");
  const transport = nodeTransport({ caCerts: [company.pem] });
  assert.equal(await (await transport.fetch(company.url)).text(), "ok");
  transport.close();
});
