/** A name of which one address stays silent: kept from the field cases that passed. */
import assert from "node:assert/strict";
import { Application } from "../../support/application.ts";
import { text, where } from "../../support/disk.ts";
import { hasIpv6 } from "../../support/local_servers.ts";
import { eventually } from "../../support/oracle.ts";
import { SilentPort } from "../../support/silent_port.ts";
import type { AddStory } from "../../support/story.ts";

/** Starts a program for which other names are known. */
function withHosts(file: string): string[] {
  return ["unshare", "--mount", "sh", "-c", `mount --bind ${file} /etc/hosts && exec "$@"`, "sh"];
}

export function tellOfSilentAddresses(story: AddStory): void {
  const { name, ignore } = where("mounts", "IPv6 address that stays silent delays webhook and download little");
  story(name, async (at) => {
    await using told = new Application();
    told.respond = () => new Response("served");
    await using _silent = await SilentPort.at("::1", told.port);
    const hosts = `${at.dir}/hosts`;
    Deno.writeTextFileSync(hosts, "127.0.0.1 localhost\n::1 app.test\n127.0.0.1 app.test\n");
    const url = (path: string) => `http://app.test:${told.port}${path}`;
    await at.create("ConfigMap", "a", { data: { "served.txt.url": url("/file"), "a.txt": "1" } });
    const settings = { REQ_URL: url("/reload"), URL_ALLOWED_HOSTS: "*" };
    const sidecar = await at.start(settings, { through: withHosts(hosts) });
    const paths = () => told.calls.map(({ path }) => path);
    await eventually(() => assert.deepEqual(paths(), ["/file", "/reload"]), { timeout: 5000 });
    assert.equal(text(`${at.folder}/served.txt`), "served");
    assert.deepEqual(sidecar.lines.filter(({ level }) => ["WARN", "ERROR"].includes(level)), []);
  }, { ignore: ignore || !hasIpv6 });
}
