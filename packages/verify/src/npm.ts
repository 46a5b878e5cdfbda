// The gate and what goes around an install. Apart from the main barrel: who only checks a lockfile loads none of it.
export { decideBySession, decisionOf, lineOf } from "./gate/decide-by-session.ts";
export type { Decide, Decision, GateEvent, OfferedVersion, Refusal, TarballDigests } from "./gate/decision.ts";
export { type Gate, type GateOptions, startGate } from "./gate/start-gate.ts";
export { type NpmRun, runNpm, type RunNpmOptions } from "./npm/run-npm.ts";
