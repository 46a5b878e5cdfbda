export { decideBySession } from "../../verify/src/gate/decide-by-session.ts";
export { runNpm } from "../../verify/src/npm/run-npm.ts";
export type { NpmRun } from "../../verify/src/npm/run-npm.ts";
