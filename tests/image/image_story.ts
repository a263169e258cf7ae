/** Stories with the binary in the file tree of the image, started as the kubelet would start it. */
import { join } from "node:path";
import type { SidecarProcess } from "../support/sidecar_process.ts";
import { inClusterAddress, type Settings, stories, type Story } from "../support/story.ts";
import { type EnterOptions, ImageRoot, whyNoImage } from "./image_root.ts";

export interface ImageStories {
  story(name: string, run: (at: Story) => Promise<void>): void;
  image(): ImageRoot;
  /** Starts the image's ENTRYPOINT with in-cluster credentials. FOLDER is made, writable for all, unless it is there. */
  start(at: Story, settings: Settings, options?: EnterOptions, args?: readonly string[]): Promise<SidecarProcess>;
}

/** Adds stories to a test file, all with one file tree; they are ignored where it cannot be made. */
export function imageStories(target?: string): ImageStories {
  const reason = whyNoImage();
  const add = stories();
  let image: ImageRoot;
  Deno.test.beforeAll(async () => {
    if (reason === undefined) image = await ImageRoot.build(target);
  });
  Deno.test.afterAll(async () => await image?.[Symbol.asyncDispose]());
  return {
    image: () => image,
    story(name, run) {
      add(reason === undefined ? name : `${name} (ignored: ${reason})`, run, { ignore: reason !== undefined });
    },
    async start(at, settings, options = {}, args = []) {
      const serviceAccount = await at.controlPlane.serviceAccountDir(at.controlPlane.adminToken, at.namespace);
      for await (const { name } of Deno.readDir(serviceAccount)) await Deno.chmod(join(serviceAccount, name), 0o644);
      await Deno.chmod(serviceAccount, 0o755);
      await Deno.chmod(join(serviceAccount, ".."), 0o755);
      await Deno.chmod(at.dir, 0o755);
      try {
        await Deno.mkdir(at.folder);
        await Deno.chmod(at.folder, 0o777);
      } catch (error) {
        if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      }
      const environment: Settings = {
        FOLDER: "/files",
        // Unset, so that the story's own credentials are not used
        SERVICE_ACCOUNT_DIR: undefined,
        ...inClusterAddress(at.controlPlane.url),
        HOME: "/",
        PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        DENO_DIR: undefined,
        ...image.target.env,
        ...settings,
      };
      const through = image.enter({ volumes: { "/files": at.folder }, serviceAccount, ...options });
      return await at.start(environment, { through, args });
    },
  };
}
