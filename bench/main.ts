import { auditReplay } from "./audit-replay.ts";
import { authorityShow } from "./authority-show.ts";
import { browserPage } from "./browser-page.ts";
import { clientProofs } from "./client-proofs.ts";
import { type Benchmark, type Figure, keepsTarget, ratioOf } from "./figure.ts";
import { foldHistory } from "./fold-history.ts";
import { logAdmission } from "./log-admission.ts";
import { logAppend } from "./log-append.ts";
import { logCosigned } from "./log-cosigned.ts";
import { logScale } from "./log-scale.ts";
import { signWithKey } from "./sign-with-key.ts";
import { verifyLockfile } from "./verify-lockfile.ts";

// pnpm bench [--json] [name…]: each figure is a ratio of two sides measured in the same run, since machines differ and are noisy.
const BENCHMARKS: Benchmark[] = [
  verifyLockfile,
  foldHistory,
  clientProofs,
  logAdmission,
  logAppend,
  logCosigned,
  logScale,
  auditReplay,
  signWithKey,
  browserPage,
  authorityShow,
];

const args = process.argv.slice(2);
const json = args.includes("--json");
const names = args.filter((arg) => arg !== "--json" && arg !== "--");
const unknown = names.filter((name) => !BENCHMARKS.some((benchmark) => benchmark.name === name));
if (unknown.length > 0) {
  console.error(`unknown: ${unknown.join(", ")}\nhint: there are ${BENCHMARKS.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}
if (!json) console.log(row("figure", "ratio", "target", "ours", "floor"));
for (const benchmark of BENCHMARKS) {
  if (names.length > 0 && !names.includes(benchmark.name)) continue;
  for (const figure of await benchmark.run()) console.log(json ? asJson(figure) : asRow(figure));
}

function asRow(figure: Figure): string {
  const target = targetOf(figure);
  const side = ({ what, value }: Figure["ours"]): string => `${amount(value)} ${figure.unit} ${what}`;
  return row(figure.name, ratioOf(figure).toFixed(2), target, side(figure.ours), side(figure.floor));
}

function targetOf(figure: Figure): string {
  if (figure.target === null) return "";
  const bound = "most" in figure.target ? `≤ ${figure.target.most}` : `≥ ${figure.target.least}`;
  return `${bound} ${keepsTarget(figure) ? "kept" : "MISSED"}`;
}

function asJson(figure: Figure): string {
  const { name, ours, floor, unit, target } = figure;
  return JSON.stringify({
    name,
    ratio: Number(ratioOf(figure).toFixed(3)),
    ours,
    floor,
    unit,
    target,
    kept: keepsTarget(figure),
  });
}

function row(name: string, ratio: string, target: string, ours: string, floor: string): string {
  return `${name.padEnd(28)} ${ratio.padStart(6)}  ${target.padEnd(14)} ${ours.padEnd(52)} ${floor}`;
}

function amount(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en") : value.toFixed(1);
}
