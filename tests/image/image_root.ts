/** The file tree of the image, made from Debian's packages, and a way to run the sidecar in it as the kubelet would. */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { dockerTarget, type Target } from "./dockerfile.ts";

const BINARY = "/usr/local/bin/k8s-sidecar";
const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

/**
 * Mounts everything in a name space of its own and becomes `entry`, the image's ENTRYPOINT, as PID 1. Only `volumes` and,
 * unless `tmp` is `no`, /tmp are writable. The argument after these is the program that the sidecar's own tests would start,
 * which is dropped; its arguments follow. A mapped user keeps the PIDs of outside, and is the binary alone.
 */
const ENTER = `
set -e
root=$1 user=$2 tmp=$3 volumes=$4 entry=$5
shift 6
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t tmpfs -o mode=755 dev "$root/dev"
for device in null zero random urandom; do : >"$root/dev/$device"; mount --bind "/dev/$device" "$root/dev/$device"; done
if [ "$user" = mapped ]; then mount --rbind /proc "$root/proc"; else mount -t proc proc "$root/proc"; fi
[ "$tmp" = no ] || mount -t tmpfs -o mode=1777 tmp "$root/tmp"
mount -o remount,bind,ro "$root"
for volume in $volumes; do
  mount --rbind "\${volume%%:*}" "$root\${volume#*:}"
  case $volume in *:${SERVICE_ACCOUNT}) mount -o remount,bind,ro "$root\${volume#*:}";; esac
done
if [ "$user" = mapped ]; then
  exec unshare --user --map-user=472 --map-group=472 --root="$root" ${BINARY} "$@"
fi
exec setpriv --no-new-privs chroot --userspec="$user" --groups="\${user#*:}" "$root" $entry "$@"
`;

/** Why the image cannot be made here; `undefined`: it can. */
export function whyNoImage(): string | undefined {
  if ((Deno.env.get("SIDECAR_BIN") ?? "") === "") return "SIDECAR_BIN names no binary";
  if (Deno.uid() !== 0) return "only root can chroot";
  if (!succeeds("sh", ["-c", "grep -q bookworm /etc/os-release"])) return "this is not Debian 12";
  const tools = "command -v apt-get dpkg-deb chroot setpriv unshare mount zstd";
  if (!succeeds("sh", ["-c", tools])) return "apt-get, dpkg-deb, chroot, setpriv, unshare, mount or zstd is missing";
  if (!succeeds("unshare", ["--mount", "--pid", "--fork", "--mount-proc", "true"])) return "no name spaces can be made";
  return undefined;
}

export interface EnterOptions {
  /** `UID:GID`; default: the image's. `mapped`: 472 inside, the user of the tests outside. */
  user?: string;
  /** Paths outside, by the writable paths inside where they are mounted. */
  volumes?: Record<string, string>;
  /** Folder with `token`, `ca.crt` and `namespace`. */
  serviceAccount?: string;
  /** `false`: there is no writable /tmp. */
  tmp?: boolean;
}

export class ImageRoot implements AsyncDisposable {
  readonly path: string;
  readonly target: Target;

  private constructor(path: string, target: Target) {
    this.path = path;
    this.target = target;
  }

  /** @param name a target of the Dockerfile */
  static async build(name = "default"): Promise<ImageRoot> {
    const dir = await Deno.makeTempDir({ prefix: "image-" });
    await Deno.chmod(dir, 0o755);
    const tools = join(dir, "tools");
    const root = new ImageRoot(join(dir, "root"), dockerTarget(name));
    await Deno.mkdir(root.path);
    const script = new URL("../../scripts/image_tools.sh", import.meta.url).pathname;
    const layOut = ["-c", 'exec sh "$0" "$(dpkg --print-architecture)" "$1"', script, tools];
    if (!succeeds("sh", layOut)) {
      // Debian has replaced a package since apt last looked
      await run("apt-get", ["-qq", "update"]);
      await Deno.remove(tools, { recursive: true }).catch(() => {});
      await run("sh", layOut);
    }
    for (const copy of root.target.copies) await root.#copy(copy, tools);
    // The kubelet mounts these
    root.write("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n");
    root.write("/etc/resolv.conf", "nameserver 127.0.0.1\n");
    for (const path of ["/dev", "/proc", "/tmp", SERVICE_ACCOUNT]) {
      await Deno.mkdir(root.path + path, { recursive: true });
    }
    return root;
  }

  /** One COPY of the Dockerfile; both stages have /out, and `build` only the binary in it. */
  async #copy({ stage, source, destination }: Target["copies"][number], tools: string): Promise<void> {
    const from = stage === "build" ? Deno.env.get("SIDECAR_BIN") ?? "" : source.replace("/out", tools) + ".";
    await Deno.mkdir(this.path + dirname(`${destination}.`), { recursive: true });
    await run("cp", ["-a", from, this.path + destination]);
  }

  /** Puts a file into the image, as a ConfigMap volume would. */
  write(path: string, text: string, mode = 0o644): void {
    Deno.mkdirSync(dirname(this.path + path), { recursive: true });
    Deno.writeTextFileSync(this.path + path, text);
    Deno.chmodSync(this.path + path, mode);
  }

  /** Bytes of the files, and of the compressed layers together as registries have them. */
  async size(): Promise<{ files: number; gzip: number; zstd: number }> {
    const count = async (command: string) => {
      const { stdout, success } = await new Deno.Command("sh", { args: ["-c", command, this.path] }).output();
      assert.ok(success, command);
      return Number(new TextDecoder().decode(stdout));
    };
    return {
      files: await count(`find "$0" -type f -printf '%s\n' | awk '{ sum += $1 } END { print sum }'`),
      gzip: await count('tar -C "$0" -c . | gzip | wc -c'),
      // As much as BuildKit's highest level
      zstd: await count('tar -C "$0" -c . | zstd -q -12 | wc -c'),
    };
  }

  /** The words before a command line that make it run in here. */
  enter({ user = this.target.user, volumes = {}, serviceAccount, tmp = true }: EnterOptions = {}): string[] {
    const mounts = Object.entries(volumes).map(([inside, outside]) => [outside, inside] as const);
    if (serviceAccount !== undefined) mounts.push([serviceAccount, SERVICE_ACCOUNT]);
    for (const [, inside] of mounts) Deno.mkdirSync(this.path + inside, { recursive: true });
    const list = mounts.map(([outside, inside]) => `${outside}:${inside}`).join(" ");
    const pid = user === "mapped" ? [] : ["--pid", "--fork"];
    const mine = [this.path, user, tmp ? "yes" : "no", list, this.target.entrypoint.join(" ")];
    return ["unshare", "--mount", ...pid, "sh", "-c", ENTER, "enter", ...mine];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(dirname(this.path), { recursive: true });
  }
}

async function run(program: string, args: string[]): Promise<void> {
  const { success } = await new Deno.Command(program, { args }).spawn().status;
  assert.ok(success, `${program} failed`);
}

function succeeds(program: string, args: string[]): boolean {
  try {
    return new Deno.Command(program, { args, stdout: "null", stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}
