/** Processes as /proc shows them. */

/** The children of a process, those included that have ended and were not waited for. */
export function childrenOf(pid: number): number[] {
  const children: number[] = [];
  try {
    for (const { name: task } of Deno.readDirSync(`/proc/${pid}/task`)) {
      const text = Deno.readTextFileSync(`/proc/${pid}/task/${task}/children`);
      children.push(...text.split(" ").filter((word) => word !== "").map(Number));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return children;
}

/** The name of a process, of 15 characters at most; empty when there is no such process. */
export function nameOf(pid: number): string {
  return read(`/proc/${pid}/comm`).trim();
}

/** Whether a process has ended and was not waited for. */
export function isZombie(pid: number): boolean {
  return /^State:\s+Z/m.test(read(`/proc/${pid}/status`));
}

/** Follows first children, from `pid` on, while a process has one of these names. */
export function below(pid: number, names: readonly string[]): number {
  let found = pid;
  while (names.includes(nameOf(found))) {
    const [child] = childrenOf(found);
    if (child === undefined) return found;
    found = child;
  }
  return found;
}

function read(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}
