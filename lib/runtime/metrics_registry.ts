/** Counters and gauges in Prometheus' text format. prom-client would cost 6 MB of memory. */

type Labels = Record<string, string>;

interface Family {
  help: string;
  type: "counter" | "gauge";
  /** From labels as text to the value. */
  values: Map<string, number>;
  /** Updates the values of a gauge. */
  collect?: () => void;
}

export class Metrics {
  readonly #families = new Map<string, Family>();

  /** A number that only grows. Returns a function that adds to it. */
  counter<L extends string = never>(name: string, help: string): (labels?: Record<L, string>, by?: number) => void {
    const family = this.#family(name, help, "counter");
    return (labels, by = 1) => {
      const key = labelText(labels ?? {});
      family.values.set(key, (family.values.get(key) ?? 0) + by);
    };
  }

  /** A number that is read when the metrics are rendered; `read` returns the value for each set of labels. */
  gauge(name: string, help: string, read: () => Iterable<[Labels, number]>): void {
    const family = this.#family(name, help, "gauge");
    family.collect = () => {
      family.values.clear();
      for (const [labels, value] of read()) family.values.set(labelText(labels), value);
    };
  }

  /** All metrics, in version 0.0.4 of the text format. */
  render(): string {
    const lines: string[] = [];
    for (const [name, { help, type, values, collect }] of this.#families) {
      collect?.();
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
      for (const [labels, value] of values) lines.push(`${name}${labels} ${value}`);
    }
    return `${lines.join("\n")}\n`;
  }

  #family(name: string, help: string, type: Family["type"]): Family {
    const family: Family = { help, type, values: new Map() };
    this.#families.set(name, family);
    return family;
  }
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}
