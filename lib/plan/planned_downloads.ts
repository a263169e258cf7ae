/** Content that a run would download or unpack. URLs are not asked; archives are unpacked and compared. */
import { ArchiveError } from "../downloads/archive_error.ts";
import { RefusedPathError } from "../files/allowed_folders.ts";
import type { Body } from "../files/body.ts";
import { readFully } from "../files/body.ts";
import type { ComparedContent, DryPublisher } from "../files/dry_publisher.ts";
import { lstat } from "../files/file_calls.ts";
import type { DeferredContent } from "../files/projection.ts";
import { PublishError } from "../files/publish_error.ts";
import type { AllowedHosts } from "../http/allowed_hosts.ts";
import type { ObjectRef } from "../objects/ref.ts";
import type { Downloads } from "../reconcile/object_files.ts";

interface Wanted {
  content: DeferredContent;
  ref: ObjectRef;
  owner: string;
}

export interface PlannedDownloadsOptions {
  publisher: Pick<DryPublisher, "plan" | "expect">;
  unpack(archive: Body, write: (piece: Uint8Array) => void, signal: AbortSignal): Promise<void>;
  hosts: Pick<AllowedHosts, "byName">;
  /** It will not become a file: an earlier one of another object goes. */
  onRefused(ref: ObjectRef, path: string, reason: string): void;
  onFailed(ref: ObjectRef, path: string, reason: string): void;
}

export class PlannedDownloads implements Downloads {
  readonly #options: PlannedDownloadsOptions;
  readonly #wanted = new Map<string, Wanted>();
  /** The host that each path would be downloaded from. */
  readonly hosts = new Map<string, string>();

  constructor(options: PlannedDownloadsOptions) {
    this.#options = options;
  }

  want(path: string, content: DeferredContent, ref: ObjectRef, owner: string): void {
    this.#wanted.set(path, { content, ref, owner });
  }

  forget(path: string): void {
    this.#wanted.delete(path);
  }

  async settle(signal: AbortSignal): Promise<void> {
    for (const [path, { content, ref, owner }] of this.#wanted) {
      try {
        if ("url" in content) this.#expect(path, new URL(content.url), owner);
        else await this.#unpack(path, content.body, owner, signal);
      } catch (error) {
        if (error instanceof ArchiveError) {
          this.#options.onRefused(ref, path, `the archive for ${path} cannot be unpacked: ${error.message}`);
        } else if (error instanceof RefusedPathError) this.#options.onRefused(ref, path, error.message);
        else if (error instanceof PublishError) this.#options.onFailed(ref, path, error.message);
        else throw error;
      }
    }
  }

  /** @throws {RefusedPathError | PublishError} */
  #expect(path: string, url: URL, owner: string): void {
    const { publisher, hosts } = this.#options;
    if (hosts.byName(url) === "refused") {
      throw new RefusedPathError(`${path} is not downloaded: ${url.host} is not allowed (URL_ALLOWED_HOSTS)`);
    }
    publisher.expect(path, owner);
    this.hosts.set(path, url.host);
  }

  /** @throws {ArchiveError | RefusedPathError | PublishError} */
  async #unpack(path: string, archive: Body, owner: string, signal: AbortSignal): Promise<void> {
    using comparison = new Comparison(path);
    await this.#options.unpack(archive, (piece) => comparison.add(piece), signal);
    this.#options.publisher.plan(path, owner, () => comparison.result);
  }
}

/** Compares content that comes in pieces with the file at a path. */
class Comparison implements Disposable {
  readonly #file: Deno.FsFile | undefined;
  #isSame: boolean;
  #size = 0;

  constructor(path: string) {
    const info = lstat(path);
    try {
      this.#file = info?.isFile ? Deno.openSync(path) : undefined;
    } catch {
      this.#file = undefined;
    }
    this.#isSame = this.#file !== undefined;
  }

  add(piece: Uint8Array): void {
    this.#size += piece.length;
    if (!this.#isSame || this.#file === undefined) return;
    const present = new Uint8Array(piece.length);
    this.#isSame = readFully(this.#file, present) === piece.length && present.every((byte, at) => byte === piece[at]);
  }

  get result(): ComparedContent {
    const isAtEnd = this.#file === undefined || readFully(this.#file, new Uint8Array(1)) === 0;
    return { isSame: this.#isSame && isAtEnd, size: this.#size };
  }

  [Symbol.dispose](): void {
    this.#file?.close();
  }
}
