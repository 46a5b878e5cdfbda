import {
  buildChecker,
  type Checker,
  type Model,
  readModel,
  readTrail,
  removeChecker,
  runChecker,
  type Switch,
} from "./checker.ts";

export const MODELS: string[] = ["authority", "claims", "adoption", "holds"];

export interface Report {
  model: string;
  /** Every variant of the rules as they are, watched and not. */
  rules: { variant: string; watched: boolean; states: number; violation: string | null; trail: string | null }[];
  /** For each guard taken out and each goal called impossible: the variant in which the checker found that out, or null if it didn't. */
  switches: { turned: Switch; foundIn: string | null }[];
}

/** Whether the rules hold in every state, and whether each guard and each goal was found. */
export function isSound(report: Report): boolean {
  return (
    report.rules.every(({ violation }) => violation === null) &&
    report.switches.every(({ foundIn }) => foundIn !== null)
  );
}

/** Checks one model: its rules in all variants, then what each switch of it makes of them. */
export async function checkModel(name: string): Promise<Report> {
  const model = readModel(name);
  const checkers = await buildAll(model);
  try {
    const rules = [];
    for (const { checker, watched } of settings(checkers)) {
      const outcome = await runChecker(checker, { number: 0, watched });
      const trail = outcome.violation === null ? null : await readTrail(checker, { number: 0, watched });
      rules.push({ variant: checker.variant, watched, ...outcome, trail });
    }
    const switches = [];
    for (const turned of model.switches) switches.push({ turned, foundIn: await findSwitch(checkers, turned) });
    return { model: name, rules, switches };
  } finally {
    for (const checker of checkers) removeChecker(checker);
  }
}

async function buildAll(model: Model): Promise<Checker[]> {
  const built = await Promise.allSettled(model.variants.map((variant) => buildChecker(model, variant)));
  const failed = built.find((result) => result.status === "rejected");
  if (!failed) return built.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  for (const result of built) if (result.status === "fulfilled") removeChecker(result.value);
  throw failed.reason;
}

async function findSwitch(checkers: Checker[], turned: Switch): Promise<string | null> {
  for (const { checker, watched } of settings(checkers)) {
    const { violation } = await runChecker(checker, { number: turned.number, watched });
    if (violation !== null) return describeSetting(checker.variant, watched);
  }
  return null;
}

export function describeSetting(variant: string, watched: boolean): string {
  return `${variant.toLowerCase()}${watched ? ", watched" : ""}`;
}

function settings(checkers: Checker[]): { checker: Checker; watched: boolean }[] {
  return checkers.flatMap((checker) => [false, true].map((watched) => ({ checker, watched })));
}
