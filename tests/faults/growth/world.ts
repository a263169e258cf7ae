/** Objects and a CONFIG_FILE that change at random, and the files that they want. */
import { gzipSync } from "node:zlib";
import { assertFolderEquals } from "../../support/oracle.ts";
import { pick } from "../../support/random.ts";
import type { Kind, Story } from "../../support/story.ts";
import { ConfigPlace, type Item } from "../../e2e/collections/place.ts";
import { contentOf } from "./servers.ts";

/** Who selects an object. */
type Family = "plain" | "url" | "packed" | "named";

interface ObjectState {
  family: Family;
  kind: Kind;
  name: string;
  exists: boolean;
  /** Below the folder. `undefined`: its download never succeeds, so its file may be there or not. */
  files: Record<string, string> | undefined;
}

const COUNTS: Record<Family, number> = { plain: 16, url: 10, packed: 4, named: 2 };

/** The configuration between two storms. */
const CANONICAL = { folder: "dashboards", alerts: "both", hook: 0, hasExtra: false, isFaulty: false };

export class World {
  readonly #at: Story;
  readonly #random: () => number;
  readonly #urls: { downloads: string; webhooks: string };
  readonly #objects: ObjectState[];
  readonly config: ConfigPlace;
  #version = 0;
  #state = CANONICAL;

  constructor(at: Story, random: () => number, urls: { downloads: string; webhooks: string }) {
    this.#at = at;
    this.#random = random;
    this.#urls = urls;
    this.config = new ConfigPlace(at);
    const families = Object.entries(COUNTS) as [Family, number][];
    this.#objects = families.flatMap(([family, count]) =>
      Array.from({ length: count }, (_, index) => ({
        family,
        kind: index % 2 === 0 ? "ConfigMap" as const : "Secret" as const,
        name: `${family}-${index}`,
        exists: false,
        files: {},
      }))
    );
  }

  async begin(): Promise<void> {
    for (const object of this.#objects) await this.#put(object);
    this.calm();
  }

  /** One object is made, changed or deleted. */
  async changeObject(families: readonly Family[]): Promise<void> {
    const object = pick(this.#random, this.#objects.filter(({ family }) => families.includes(family)));
    if (!object.exists || this.#random() < 0.8) return await this.#put(object);
    object.exists = false;
    await this.#at.delete(object.kind, object.name);
  }

  /** Another version of the file, now and then a faulty one. */
  changeConfig(): void {
    const dice = Math.floor(this.#random() * 6);
    const state = { ...this.#state, isFaulty: dice === 5 };
    if (dice === 0) state.folder = state.folder === "dashboards" ? "elsewhere" : "dashboards";
    if (dice === 1) state.alerts = state.alerts === "both" ? "configmap" : "both";
    if (dice === 2 || dice === 3) state.hook++;
    if (dice === 4) state.hasExtra = !state.hasExtra;
    this.#use(state, this.#random() < 0.2);
  }

  /** Puts the configuration back to that of the start. */
  calm(): void {
    this.#use({ ...CANONICAL }, false);
  }

  /** Changes a file behind the sidecar's back. */
  tamper(): void {
    const folder = this.config.folder(pick(this.#random, ["dashboards", "elsewhere", "alerts", "urls", "packed"]));
    try {
      const files = [...Deno.readDirSync(folder)].filter(({ isFile }) => isFile);
      if (files.length === 0) return;
      const path = `${folder}/${pick(this.#random, files).name}`;
      if (this.#random() < 0.5) Deno.removeSync(path);
      else Deno.writeTextFileSync(path, "tampered with");
    } catch (error) {
      // The collection is not there now, or was quicker
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  /** Passes when each folder has exactly the files that the objects want, with {@link CANONICAL}. */
  assertFiles(): void {
    assertFolderEquals(this.config.folder("dashboards"), this.#filesOf("plain"));
    assertFolderEquals(this.config.folder("alerts"), this.#filesOf("plain"), { mode: 0o600 });
    assertFolderEquals(this.config.folder("names"), this.#filesOf("named"));
    assertFolderEquals(this.config.folder("urls"), this.#filesOf("url"));
    assertFolderEquals(this.config.folder("packed"), this.#filesOf("packed"));
    for (const gone of ["elsewhere", "extra"]) {
      try {
        assertFolderEquals(this.config.folder(gone), {});
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
  }

  #filesOf(wanted: Family): Record<string, string> {
    const objects = this.#objects.filter(({ family, exists }) => exists && family === wanted);
    return Object.assign({}, ...objects.map(({ name, files }) => files ?? this.#maybe(wanted, name)));
  }

  /** The file of an object whose download never succeeds, if an earlier download brought one. */
  #maybe(family: Family, name: string): Record<string, string> {
    try {
      const path = `${this.config.folder(`${family}s`)}/${name}.txt`;
      return { [`${name}.txt`]: Deno.readTextFileSync(path) };
    } catch {
      return {};
    }
  }

  async #put(object: ObjectState): Promise<void> {
    const { kind, name, exists, family } = object;
    const { data, files } = this.#contentFor(object);
    if (exists) await this.#at.change(kind, name, { data });
    else await this.#at.create(kind, name, { data, labels: { [`soak-${family}`]: "yes" } });
    object.exists = true;
    object.files = files;
  }

  #contentFor({ family, name }: ObjectState) {
    const version = ++this.#version;
    const path = `/files/${name}/${version}`;
    if (family === "url") {
      const isMissing = this.#random() < 0.1;
      return {
        data: { [`${name}.txt.url`]: this.#urls.downloads + (isMissing ? `/missing${path}` : path) },
        files: isMissing ? undefined : { [`${name}.txt`]: contentOf(path) },
      };
    }
    const size = Math.floor(this.#random() ** 4 * 2000);
    const text = `${name} ${version}\n`.repeat(1 + size);
    if (family === "packed") {
      const url = `${path}.gz`;
      return {
        data: { [`${name}-a.txt.gz`]: gzipSync(text), [`${name}-b.txt.gz.url`]: this.#urls.downloads + url },
        files: { [`${name}-a.txt`]: text, [`${name}-b.txt`]: contentOf(url) },
      };
    }
    const files = { [`${name}-a.txt`]: text, [`${name}-b.txt`]: `${version}` };
    return { data: files, files };
  }

  #use(state: typeof CANONICAL, isInPlace: boolean): void {
    if (!state.isFaulty) this.#state = state;
    const directory = this.config.folder("config");
    const items = this.#items(state);
    if (isInPlace) Deno.writeTextFileSync(`${directory}/..data/config.yaml`, this.config.text(items, this.#defaults()));
    else {
      const before = [...Deno.readDirSync(directory)].filter(({ name }) => name.startsWith("..version-"));
      this.config.swap(items, this.#defaults());
      for (const { name } of before) Deno.removeSync(`${directory}/${name}`, { recursive: true });
    }
  }

  #defaults() {
    return { namespaces: [this.#at.namespace], urls: { allowedHosts: ["127.0.0.1"], timeout: "20s" } };
  }

  #items({ folder, alerts, hook, hasExtra, isFaulty }: typeof CANONICAL): Item[] {
    const retry = { total: 2, backoffFactor: 0.2 };
    const notify = (name: string) => ({
      quietPeriod: "500ms",
      webhook: { url: `${this.#urls.webhooks}/${name}`, method: "POST", timeout: "2s", retry },
    });
    return [
      { name: "dashboards", folder, label: "soak-plain", notify: notify(`dashboards/${hook}`) },
      { name: "alerts", label: "soak-plain", resource: alerts, fileMode: isFaulty ? "0944" : "0600" },
      { name: "names", names: ["configmap/named-0", "secret/named-1"], notify: notify("names") },
      { name: "urls", label: "soak-url", notify: notify(`urls/${hook}`) },
      { name: "packed", label: "soak-packed", decompress: true },
      ...(hasExtra ? [{ name: "extra", label: "soak-plain", labelValue: "yes" }] : []),
    ];
  }
}
