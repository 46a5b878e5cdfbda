export { decideBySession } from "@touchmark/verify/npm";
export { runNpm } from "@touchmark/verify/npm";
export type { NpmRun } from "@touchmark/verify/npm";
