/**
 * Counters, gauges and histograms in Prometheus' text format and in OpenMetrics. prom-client would cost 6 MB of memory.
 *
 * Values are stored by their labels as text, so an observation allocates nothing that outlives it.
 */

export type Labels<L extends string = string> = Readonly<Record<L, string>>;

export type MetricType = "counter" | "gauge" | "histogram";

/** `text` is version 0.0.4 of Prometheus' text format. */
export type MetricsFormat = "text" | "openmetrics";

/** What is known of a metric without its values. */
export interface Family {
  /** The name of a counter ends in `_total`. */
  readonly name: string;
  readonly help: string;
  readonly type: MetricType;
  readonly labels: readonly string[];
}

interface RegisteredFamily extends Family {
  /** The lines with values. */
  samples(): Iterable<string>;
  /** Drops the values with this label. */
  forget(label: string): void;
}

export interface Counter<L extends string> {
  /** Adds to the value, which is 0 at first. `by` 0 makes the value appear. */
  add(labels: Labels<L>, by?: number): void;
}

export interface Histogram<L extends string> {
  observe(labels: Labels<L>, value: number): void;
  /** Makes the histogram with these labels appear, without an observation. */
  init(labels: Labels<L>): void;
}

/** A histogram with one set of labels: counts for each bucket, of which the last has no upper bound. */
interface Distribution {
  counts: number[];
  sum: number;
}

export class MetricsRegistry {
  readonly #families = new Map<string, RegisteredFamily>();

  /** In the order of their registration. */
  get families(): Family[] {
    return [...this.#families.values()].map(({ name, help, type, labels }) => ({ name, help, type, labels }));
  }

  /** A number that only grows. */
  counter<L extends string = never>(name: string, help: string, labels: readonly L[] = []): Counter<L> {
    const values = new Map<string, number>();
    this.#register({ name, help, type: "counter", labels }, values, function* () {
      for (const [key, value] of values) yield `${name}${key} ${value}`;
    });
    return {
      add(given, by = 1) {
        const key = labelText(given, labels);
        values.set(key, (values.get(key) ?? 0) + by);
      },
    };
  }

  /** How often values were at most as large as each bound. `buckets` ascend. */
  histogram<L extends string = never>(
    name: string,
    help: string,
    labels: readonly L[],
    buckets: readonly number[],
  ): Histogram<L> {
    const values = new Map<string, Distribution>();
    const at = (given: Labels<L>) => {
      const key = labelText(given, labels);
      const known = values.get(key) ?? { counts: new Array(buckets.length + 1).fill(0), sum: 0 };
      values.set(key, known);
      return known;
    };
    this.#register({ name, help, type: "histogram", labels }, values, function* () {
      for (const [key, { counts, sum }] of values) {
        let count = 0;
        for (const [index, inBucket] of counts.entries()) {
          count += inBucket;
          yield `${name}_bucket${withLabel(key, `le="${boundText(buckets[index])}"`)} ${count}`;
        }
        yield `${name}_sum${key} ${sum}`;
        yield `${name}_count${key} ${count}`;
      }
    });
    return {
      init: (given) => void at(given),
      observe(given, value) {
        const distribution = at(given);
        const index = buckets.findIndex((bound) => value <= bound);
        const bucket = index < 0 ? buckets.length : index;
        distribution.counts[bucket] = (distribution.counts[bucket] ?? 0) + 1;
        distribution.sum += value;
      },
    };
  }

  /** A number that `read` returns for each set of labels whenever the metrics are rendered. */
  read<L extends string = never>(
    type: "gauge" | "counter",
    name: string,
    help: string,
    labels: readonly L[],
    read: () => Iterable<readonly [Labels<L>, number]>,
  ): void {
    this.#register({ name, help, type, labels }, new Map(), function* () {
      for (const [given, value] of read()) yield `${name}${labelText(given, labels)} ${value}`;
    });
  }

  /** Drops the counters and histograms that have a label with this value. */
  forget(label: string, value: string): void {
    for (const family of this.#families.values()) family.forget(pairText(label, value));
  }

  /** All metrics: one piece for each. */
  *render(format: MetricsFormat): Generator<string, void> {
    for (const { name, help, type, samples } of this.#families.values()) {
      // In OpenMetrics, the name of a counter has no suffix and its sample has
      const family = format === "openmetrics" && type === "counter" ? name.replace(/_total$/, "") : name;
      const lines = [...samples()];
      if (lines.length === 0) continue;
      yield `# HELP ${family} ${help}\n# TYPE ${family} ${type}\n${lines.join("\n")}\n`;
    }
    if (format === "openmetrics") yield "# EOF\n";
  }

  #register(family: Family, values: Map<string, unknown>, samples: () => Iterable<string>): void {
    const { name, type } = family;
    if (this.#families.has(name)) throw new Error(`${name} is registered twice`);
    if ((type === "counter") !== name.endsWith("_total")) throw new Error(`${name}: only counters end in _total`);
    const forget = (pair: string) => {
      for (const key of values.keys()) {
        if (key.includes(`{${pair}`) || key.includes(`,${pair}`)) values.delete(key);
      }
    };
    this.#families.set(name, { ...family, samples, forget });
  }
}

/** `{a="1",b="2"}`, in the order of the names; empty without labels. */
function labelText<L extends string>(labels: Labels<L>, names: readonly L[]): string {
  return names.length === 0 ? "" : `{${names.map((name) => pairText(name, labels[name])).join(",")}}`;
}

/** Exactly these three characters are escaped in both formats. A quote within a value never ends it. */
function pairText(name: string, value: string): string {
  const escaped = value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
  return `${name}="${escaped}"`;
}

function withLabel(text: string, pair: string): string {
  return text === "" ? `{${pair}}` : `${text.slice(0, -1)},${pair}}`;
}

/** OpenMetrics wants `1.0`; the same in both formats, so that both give the same series. */
function boundText(bound: number | undefined): string {
  if (bound === undefined) return "+Inf";
  return Number.isInteger(bound) ? `${bound}.0` : String(bound);
}
