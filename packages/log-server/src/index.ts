export { auditJudge } from "./auditor/audit-judge.ts";
export type { Halt } from "./auditor/audit-store.ts";
export {
  type Auditor,
  type AuditorOptions,
  type AuditVerdict,
  CLOCK_TOLERANCE,
  openAuditor,
} from "./auditor/auditor.ts";
export { checkStore, type StoreReport } from "./check-store.ts";
export { type Cosigning, type CosigningOptions, createCosigning } from "./cosigning.ts";
export { LogServerError, type LogServerErrorCode } from "./error.ts";
export { buildEvidence } from "./evidence.ts";
export type { Problem } from "./replay.ts";
export { type PackageAt, type PackageStates, packageStates } from "./stored-states.ts";
export { createSequencer, type Receipt, type Sequencer, type SequencerOptions } from "./sequencer.ts";
export type { HttpServerOptions, ServerEvent } from "./http-server.ts";
export { type LogEvent, type LogServer, type LogServerOptions, startLogServer } from "./server.ts";
export type { Blob, Blobs } from "./storage/blobs.ts";
export type { AdmittedStatement, Ledger } from "./storage/ledger.ts";
export { type FollowedStore, followStore } from "./follow-store.ts";
export { openStorage, type StorageAddresses } from "./storage/addresses.ts";
export { openFolder, type Storage } from "./storage/storage.ts";
export { createStore, openStore, type Store } from "./store.ts";
export type { StoreReads } from "./store-reads.ts";
export type { Candidate, EarlierText } from "./admission.ts";
export {
  type Candidate as WitnessCandidate,
  createWitness,
  type Judge,
  type Objection,
  type Witness,
  type WitnessOptions,
} from "./witness/witness.ts";
export { startWitnessServer, type WitnessServer, type WitnessServerOptions } from "./witness/witness-server.ts";
export { createWitnessStore, openWitnessStore, type WitnessStore } from "./witness/witness-store.ts";
export type { ProofChecker, ProofVerdict, PublishedProof } from "./claim-proofs.ts";
