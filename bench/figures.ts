/** What was measured: each figure once a round, to be summed up by its median. */

export type Unit = "ms" | "bytes" | "requests" | "per s" | "objects" | "ms/s" | "connections" | "files";

/** Names a figure. */
export interface FigureName {
  /** Whose figure it is: a floor's, or the sidecar's. */
  of: string;
  /** In which scenario. */
  where: string;
  what: string;
}

interface Figure extends FigureName {
  unit: Unit;
  /** One a round. */
  values: number[];
}

export interface Summary extends FigureName {
  unit: Unit;
  median: number;
  lowest: number;
  highest: number;
  values: readonly number[];
}

/** Where a figure belongs to no set of objects. */
export const ANYWHERE = "–";

export class Figures {
  readonly #figures = new Map<string, Figure>();
  readonly #onFigure: (name: FigureName, unit: Unit, value: number) => void;

  /** @param onFigure told of each value as it comes */
  constructor(onFigure: (name: FigureName, unit: Unit, value: number) => void = () => {}) {
    this.#onFigure = onFigure;
  }

  add(of: string, where: string, what: string, unit: Unit, value: number): void {
    const name = { of, where, what };
    const figure = this.#figures.get(keyOf(name)) ?? { ...name, unit, values: [] };
    figure.values.push(value);
    this.#figures.set(keyOf(name), figure);
    this.#onFigure(name, unit, value);
  }

  /** `undefined`: it was not measured. */
  median(of: string, where: string, what: string): number | undefined {
    const figure = this.#figures.get(keyOf({ of, where, what }));
    return figure === undefined ? undefined : quantile(figure.values, 0.5);
  }

  /** In the order in which they were first measured. */
  summaries(): Summary[] {
    return [...this.#figures.values()].map((figure) => ({
      ...figure,
      median: quantile(figure.values, 0.5),
      lowest: Math.min(...figure.values),
      highest: Math.max(...figure.values),
    }));
  }
}

/** The value below which this share of the values is; between two of an even number, the mean of both for the median. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  if (share === 0.5 && sorted.length % 2 === 0) {
    return ((sorted[sorted.length / 2 - 1] ?? NaN) + (sorted[sorted.length / 2] ?? NaN)) / 2;
  }
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}

function keyOf({ of, where, what }: FigureName): string {
  return [of, where, what].join("\n");
}
