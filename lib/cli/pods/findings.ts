/** What `check --pod` finds, each with its place. */
import type { Container } from "./pod.ts";
import type { Path } from "./manifest_stream.ts";

export interface Finding {
  isFault: boolean;
  line: number;
  /** Where one is known: in the text of CONFIG_FILE. */
  column?: number;
  /** `Deployment grafana, container sidecar` */
  where: string;
  text: string;
}

export class Findings {
  readonly found: Finding[] = [];
  /** What the manifests do not tell. */
  readonly unchecked: string[] = [];

  /** @param path of the fault in the object */
  fault(container: Container, path: Path, text: string): void {
    this.#add(container, path, text, true);
  }

  warn(container: Container, path: Path, text: string): void {
    this.#add(container, path, text, false);
  }

  #add(container: Container, path: Path, text: string, isFault: boolean): void {
    const { line } = container.pod.object.placeOf(path);
    this.found.push({ isFault, line, where: whereOf(container), text });
  }
}

export function whereOf({ pod: { object }, name }: Container): string {
  return `${object.kind} ${object.name}, container ${name}`;
}
