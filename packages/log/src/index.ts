export {
  type Checkpoint,
  encodeCheckpoint,
  parseAnyCheckpoint,
  parseCheckpoint,
  signCheckpoint,
  type SignedCheckpoint,
  verifyCheckpoint,
} from "./checkpoint.ts";
export {
  type EarlierList,
  fetchCheckpoint,
  fetchConsistency,
  fetchEarlier,
  fetchEnvelope,
  fetchEvidence,
  fetchInbox,
  fetchTile,
  listInbox,
  type LogEndpoint,
  postInbox,
  type Submission,
  submitEnvelope,
  type SubmitAnswer,
} from "./client.ts";
export {
  type CheckedCosignatures,
  type Cosignature,
  type CosignatureType,
  type Cosigner,
  cosigner,
  cosignerKey,
  verifyCosignatures,
} from "./cosignature.ts";
export {
  concatDigests,
  type Digest,
  digestFromBytes,
  digestsFromBytes,
  digestToBytes,
  leafDigest,
  nodeDigest,
} from "./digest.ts";
export {
  encodeEntry,
  encodeEpoch,
  ENTRY_BYTES,
  type EntryKind,
  envelopesOf,
  EPOCH_BYTES,
  type EpochLeaf,
  isAuthorityKind,
  type NamedEntry,
  type PackageEntry,
  parseEntry,
  parseEpoch,
  parseLeaf,
  parseNamedEntry,
} from "./entry.ts";
export { LogError, type LogErrorCode, type NotePair, type Refusal } from "./error.ts";
export {
  type EarlierEvidence,
  encodeEvidence,
  EVIDENCE_KEYS,
  type Evidence,
  evidenceMembers,
  MAX_EVIDENCE_BYTES,
  parseEvidence,
  readEvidence,
} from "./evidence.ts";
export { encodeFork, type Fork, MAX_FORK_BYTES, parseFork, verifyFork } from "./fork.ts";
export { verifyReceipt } from "./receipt.ts";
export { fetchPeaks, fetchProvedLeaf, fetchProvedLeaves, followLeaves, type LeafBatch } from "./follow.ts";
export { encodeLineDocument, type LineDocument, type Member, parseLineDocument, parseText } from "./line-document.ts";
export { type Ask, askByFetch, type Exchange, type Fetch, type HttpAnswer, MAX_REFUSAL_BYTES } from "./http.ts";
export { createPackageMap, loadPackageMap, type MapDraft, mapRootFromBuckets, type PackageMap } from "./map.ts";
export { bucketOf, encodeBucket, findRecord, MAP_SIZE, type MapRecord, parseBucket } from "./map-record.ts";
export {
  consistencyProof,
  consistencyRanges,
  emptyRoot,
  inclusionProof,
  leafHash,
  nodeHash,
  type Range,
  type RangeDigest,
  rootOfDigests,
  rootOfLeaves,
  verifyConsistency,
  verifyInclusion,
} from "./merkle.ts";
export {
  type KnownLeaf,
  multiProof,
  multiProofRanges,
  rootFromMultiProof,
  rootFromMultiProofOfData,
} from "./multi-proof.ts";
export { nodeCrypto } from "./node-crypto.ts";
export {
  COSIGNATURE_ED25519,
  COSIGNATURE_ML_DSA_44,
  encodeNote,
  encodeSignatureLine,
  encodeVerifierKey,
  type Note,
  NOTE_ED25519,
  type NoteSignature,
  type NoteSigner,
  noteSigner,
  parseNote,
  parseSignatureLines,
  parseVerifierKey,
  type VerifierKey,
  verifyNote,
} from "./note.ts";
export { appendDigests, appendToPeaks, NO_PEAKS, peakRanges, type Peaks, rootOfPeaks } from "./peaks.ts";
export { decideQuorum, MAX_COSIGNATURE_AHEAD, overlapSentence, quorumOverlap, type QuorumVerdict } from "./quorum.ts";
export {
  encodeEntryBundle,
  parseEntryBundle,
  parseTilePath,
  type Tile,
  TILE_WIDTH,
  tilePath,
  tileWidth,
} from "./tile.ts";
export {
  type FetchTile,
  fetchRangeDigests,
  type ReadTile,
  type TileCache,
  tileCache,
  tileReader,
} from "./tile-reader.ts";
export {
  MAX_POLICY_BYTES,
  parseTlogPolicy,
  type PolicyGroup,
  type PolicyLog,
  type PolicyMember,
  type PolicyWitness,
  type TlogPolicy,
} from "./tlog-policy.ts";
export {
  encodeTlogProof,
  MAX_TLOG_PROOF_BYTES,
  parseTlogProof,
  type TlogProof,
  verifyTlogProof,
} from "./tlog-proof.ts";
export {
  type AddCheckpoint,
  encodeAddCheckpoint,
  fetchCosignature,
  MAX_ADD_CHECKPOINT_BYTES,
  parseAddCheckpoint,
  type WitnessAnswer,
  type WitnessEndpoint,
} from "./tlog-witness.ts";
