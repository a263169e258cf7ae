/** The memory, threads and open files of a process, from /proc. */

export interface ProcessUse {
  rssAnonMiB: number;
  threads: number;
  /** Open files of all kinds. */
  fds: number;
  sockets: number;
  pipes: number;
  /** eventfd, epoll and the like. */
  anonymous: number;
  files: number;
  /** Directories and files that are watched for changes. */
  inotifyWatches: number;
}

export function useOf(pid: number): ProcessUse {
  const kinds = { sockets: 0, pipes: 0, anonymous: 0, files: 0 };
  let inotifyWatches = 0;
  for (const { name } of Deno.readDirSync(`/proc/${pid}/fd`)) {
    try {
      const target = Deno.readLinkSync(`/proc/${pid}/fd/${name}`);
      if (target.startsWith("socket:")) kinds.sockets++;
      else if (target.startsWith("pipe:")) kinds.pipes++;
      else if (target.startsWith("anon_inode:")) kinds.anonymous++;
      else kinds.files++;
      if (!target.endsWith("inotify")) continue;
      inotifyWatches += Deno.readTextFileSync(`/proc/${pid}/fdinfo/${name}`).split("inotify wd:").length - 1;
    } catch { /* it was closed meanwhile */ }
  }
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1]);
  return {
    rssAnonMiB: round(field("RssAnon") / 1024),
    threads: field("Threads"),
    fds: Object.values(kinds).reduce((sum, count) => sum + count),
    ...kinds,
    inotifyWatches,
  };
}

export function median(values: readonly number[]): number {
  return round([...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
