/** One line of the table: two sides measured in the same run, and what their ratio must keep to. */
export interface Figure {
  name: string;
  /** What is measured, and what it is measured against. */
  ours: { what: string; value: number };
  floor: { what: string; value: number };
  unit: string;
  /** `most`: ours / floor may not be above; `least`: may not be below; null: only for information. */
  target: { most: number } | { least: number } | null;
}

export interface Benchmark {
  name: string;
  run(): Promise<Figure[]>;
}

export function ratioOf(figure: Figure): number {
  return figure.ours.value / figure.floor.value;
}

export function keepsTarget(figure: Figure): boolean {
  if (figure.target === null) return true;
  return "most" in figure.target ? ratioOf(figure) <= figure.target.most : ratioOf(figure) >= figure.target.least;
}

export function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
