/** Targets that are files of our own configuration (row 12 of the security cases). */
import assert from "node:assert/strict";
import { exists, text } from "../../support/disk.ts";
import { eventually } from "../../support/oracle.ts";
import { ADMIN } from "../../support/control_plane.ts";
import type { SidecarProcess } from "../../support/sidecar_process.ts";
import type { AddStory } from "../../support/story.ts";

const ANNOTATION = "k8s-sidecar-target-directory";

function linesOf({ lines }: SidecarProcess, level: string, part: string): string[] {
  return lines.filter((line) => line.level === level && line.msg.includes(part)).map(({ msg }) => msg);
}

export function tellOfOwnConfiguration(story: AddStory): void {
  story("SCRIPT inside FOLDER is neither replaced nor silent", async (at) => {
    await Deno.mkdir(`${at.folder}/bin`, { recursive: true });
    const script = `${at.folder}/bin/reload.sh`;
    await Deno.writeTextFile(script, "#!/bin/sh\nexit 0\n", { mode: 0o755 });
    await Deno.symlink("bin", `${at.folder}/link`);
    const hostile = { "reload.sh": "#!/bin/sh\nenv > stolen\n" };
    await at.create("ConfigMap", "by-path", { data: hostile, annotations: { [ANNOTATION]: "bin" } });
    await at.create("ConfigMap", "by-link", { data: hostile, annotations: { [ANNOTATION]: "link" } });
    await at.create("ConfigMap", "good", { data: { "good.txt": "1" } });
    const sidecar = await at.startReady({ SCRIPT: script, REQ_PASSWORD: "the-password" });
    assert.equal(text(`${at.folder}/good.txt`), "1");
    assert.equal(text(script), "#!/bin/sh\nexit 0\n");
    assert.ok(linesOf(sidecar, "WARN", "SCRIPT").length > 0, sidecar.tail());
    assert.ok(linesOf(sidecar, "ERROR", "reload.sh").length > 0, sidecar.tail());
    await at.delete("ConfigMap", "by-path");
    await at.delete("ConfigMap", "by-link");
    await at.create("ConfigMap", "later", { data: { "later.txt": "1" } });
    await eventually(() => assert.equal(text(`${at.folder}/later.txt`), "1"));
    assert.ok(exists(script));
  });

  story("Credential files inside FOLDER are not replaced", async (at) => {
    await Deno.mkdir(at.folder);
    const files = ["user", "password", "token", "netrc", "ca.crt"];
    for (const file of files) await Deno.writeTextFile(`${at.folder}/${file}`, file === "netrc" ? "" : `own ${file}`);
    await Deno.writeTextFile(`${at.folder}/real-token`, "own real-token");
    await Deno.remove(`${at.folder}/token`);
    await Deno.symlink("real-token", `${at.folder}/token`);
    const data = Object.fromEntries([...files, "real-token"].map((file) => [file, "hostile"]));
    await at.create("ConfigMap", "a", { data: { ...data, "beside.txt": "1" } });
    const sidecar = await at.startReady({
      REQ_USERNAME_FILE: `${at.folder}/user`,
      REQ_PASSWORD_FILE: `${at.folder}/password`,
      REQ_TOKEN_FILE: `${at.folder}/token`,
      NETRC: `${at.folder}/netrc`,
      STATE_FILE: `${at.folder}/record`,
    });
    assert.equal(text(`${at.folder}/beside.txt`), "1");
    for (const file of ["user", "password", "real-token"]) {
      assert.equal(text(`${at.folder}/${file}`), `own ${file}`, sidecar.tail());
    }
    assert.ok(Deno.lstatSync(`${at.folder}/token`).isSymlink);
    assert.equal(text(`${at.folder}/netrc`), "");
  });

  story("Log file of LOG_CONFIG and its backups are not replaced", async (at) => {
    await Deno.mkdir(at.folder);
    const config = `${at.dir}/log.yaml`;
    const handler = {
      ...{ class: "logging.handlers.RotatingFileHandler", filename: `${at.folder}/app.log` },
      ...{ maxBytes: 1000, backupCount: 3 },
    };
    const stdout = { class: "logging.StreamHandler", stream: "ext://sys.stdout", formatter: "json" };
    const formatters = { json: { "()": "logger.JsonFormatter" } };
    const root = { level: "INFO", handlers: ["file", "stdout"] };
    await Deno.writeTextFile(
      config,
      JSON.stringify({ version: 1, root, formatters, handlers: { file: handler, stdout } }),
    );
    const names = ["app.log", "app.log.1", "app.log.2", "app.log.3"];
    const data = Object.fromEntries([...names, "beside.txt"].map((name) => [name, "hostile"]));
    await at.create("ConfigMap", "a", { data });
    const sidecar = await at.startReady({ LOG_CONFIG: config });
    assert.equal(text(`${at.folder}/beside.txt`), "hostile");
    for (const name of names) {
      if (exists(`${at.folder}/${name}`)) assert.notEqual(text(`${at.folder}/${name}`), "hostile", sidecar.tail());
    }
    assert.ok(sidecar.running);
  });

  story("File of a kubeconfig inside FOLDER is not replaced when its directory is linked anew", async (at) => {
    for (const version of ["v1", "v2"]) await Deno.mkdir(`${at.folder}/${version}`, { recursive: true });
    await Deno.symlink(`${at.folder}/v1`, `${at.dir}/current`);
    const kubeconfig = JSON.parse(await Deno.readTextFile(await at.controlPlane.kubeconfig()));
    kubeconfig.users[0].user = { tokenFile: "current/token" };
    await Deno.writeTextFile(`${at.dir}/kubeconfig`, JSON.stringify(kubeconfig));
    await Deno.writeTextFile(`${at.folder}/v1/token`, ADMIN.token);
    const sidecar = await at.startReady({ KUBECONFIG: `${at.dir}/kubeconfig` });
    await Deno.remove(`${at.dir}/current`);
    await Deno.symlink(`${at.folder}/v2`, `${at.dir}/current`);
    const annotations = { [ANNOTATION]: "v2" };
    await at.create("ConfigMap", "hostile", { data: { token: "hostile", "beside.txt": "1" }, annotations });
    await eventually(() => assert.equal(text(`${at.folder}/v2/beside.txt`), "1"));
    assert.ok(!exists(`${at.folder}/v2/token`), sidecar.tail());
    assert.equal(text(`${at.folder}/v1/token`), ADMIN.token);
  });
}
