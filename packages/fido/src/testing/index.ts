// A software authenticator for tests and demonstrations. It is NOT hardware: whoever can read its state can sign.
export {
  type AttachedHost,
  createSoftwareAuthenticator,
  type Faults,
  type SoftwareAuthenticator,
  type SoftwareAuthenticatorOptions,
} from "./authenticator.ts";
export { type BatchAttestation, createAttestationRoot, createBatchAttestation } from "./batch-attestation.ts";
export {
  aaguidExtension,
  basicConstraints,
  type CertificateWish,
  extension,
  firmwareExtension,
  type IssuedCertificate,
  issueCertificate,
  name,
  octetString,
} from "./certificate.ts";
export { type Replay, type ReplayOptions, replayTrace } from "./replay.ts";
export { type AuthenticatorModel } from "./device.ts";
export { openSoftAuthenticator } from "./soft-file.ts";
export { type AuthenticatorState, createMemoryStore, createState, type StateStore } from "./state.ts";
export { manualTouch, neverTouch, refuseAfter, touchAfter, type TouchPolicy } from "./touch.ts";
export { serveUdp, type UdpAuthenticator } from "./udp-server.ts";
export { describeSoftDevice } from "./soft-device.ts";
