import { checkModel, describeSetting, isSound, MODELS, type Report } from "./check-models.ts";
import { missingSpin } from "./checker.ts";

// pnpm model [name…]: the rules of docs/spec/10-authority.md, written once more for a model checker; exit code 1 if they don't hold, 3 if that could not be checked.

const names = process.argv.slice(2).filter((arg) => arg !== "--");
const unknown = names.filter((name) => !MODELS.includes(name));
if (unknown.length > 0) {
  console.error(`unknown: ${unknown.join(", ")}\nhint: there are ${MODELS.join(", ")}`);
  process.exit(2);
}
const missing = missingSpin();
if (missing !== undefined) {
  console.error(`could not check: ${missing}`);
  process.exit(3);
}
let sound = true;
for (const name of MODELS) {
  if (names.length > 0 && !names.includes(name)) continue;
  const report = await checkModel(name);
  console.log(describeReport(report));
  sound &&= isSound(report);
}
console.log(sound ? "The rules hold in every state, and no guard of theirs is idle." : "FAILED");
if (!sound) process.exitCode = 1;

function describeReport(report: Report): string {
  const lines = [`${report.model}: the rules`];
  for (const { variant, watched, states, violation, trail } of report.rules) {
    const what = `  ${describeSetting(variant, watched).padEnd(60)}${states.toLocaleString("en").padStart(8)} states  `;
    lines.push(`${what}${violation === null ? "hold" : `VIOLATED: ${violation}\n${trail ?? ""}`}`);
  }
  for (const kind of ["guard", "goal"] as const) {
    lines.push(`${report.model}: ${kind === "guard" ? "without a guard" : "what has to be possible"}`);
    for (const { turned, foundIn } of report.switches.filter((found) => found.turned.kind === kind)) {
      lines.push(`  ${turned.description.padEnd(76)}${foundIn === null ? "NOT FOUND" : `found (${foundIn})`}`);
    }
  }
  return `${lines.join("\n")}\n`;
}
