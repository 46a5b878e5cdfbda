// Talks to FIDO2 security keys over real 64-byte packets. A key is trusted for nothing but its signature: every answer is
// parsed strictly, bounded in size and time, and checked against what was asked.
export { FidoError, type FidoErrorCode, type FidoErrorDetails } from "./error.ts";
export { explain, type DeviceProblem } from "./explain.ts";

export {
  type DeviceDescription,
  type DeviceEdges,
  type FidoDevice,
  listDevices,
  openDevice,
  openDevices,
  winkDevice,
} from "./client/devices.ts";
export { type DeviceSpec, parseDeviceSpec } from "./client/device-spec.ts";
export { type BrowserPlace, isBrowserSpec, parseBrowserSpec } from "./browser/place.ts";
export { awaitDevice, type AwaitRequest, type WatchEdges } from "./client/await-device.ts";
export { type Interaction, type PinQuestion, type PinReason, type PlugInReason } from "./client/interaction.ts";
export { type Holding, selectDevice, type SelectionRequest } from "./client/select-device.ts";
export { type CredentialQuestion, type CredentialSearch, findCredential } from "./client/find-credential.ts";
export { type CredentialProtection, type EnrolledKey, enrollKey, type EnrollRequest } from "./client/enroll-key.ts";
export { assertKey, type AssertRequest, type KeyAssertion } from "./client/assert-key.ts";
export { changePin, pinRules, type PinRules, setPin } from "./client/pin.ts";

export { type Advisory, ADVISORIES, type AdvisoryFinding } from "./attestation/advisories.ts";
export { type AttestationRequest, type AttestationVerdict, checkAttestation } from "./attestation/check-attestation.ts";
export { describeModel, type ModelDescription } from "./attestation/describe-model.ts";
export { type Firmware } from "./attestation/firmware.ts";
export { checkMetadata, type Metadata, type MetadataModel, type MetadataRequest } from "./attestation/metadata.ts";
export { type AttestationReason, type AttestationReasonCode } from "./attestation/reason.ts";
export { type AttestationRoots, readRoots } from "./attestation/roots.ts";
export { type Attestation, parseAttestationObject } from "./ctap2/attestation.ts";
export { type AttestedCredential, type AuthenticatorData, FLAG, parseAuthData } from "./ctap2/auth-data.ts";
export { type Algorithm, type CredentialPublicKey, EDDSA, ES256 } from "./ctap2/cose-key.ts";
export { type AuthenticatorInfo } from "./ctap2/info.ts";
export { getPinRetries, getUvRetries, type PinRetries } from "./ctap2/client-pin.ts";
export { type Authorization } from "./ctap2/authorization.ts";
export { type CborKey, type CborMap, type CborValue, decodeCbor } from "./cbor/canonical.ts";

export {
  type CallOptions,
  type ChannelTiming,
  type CtapChannel,
  DEFAULT_TIMING,
  type KeepaliveStatus,
  openChannel,
} from "./hid/channel.ts";
export { parseTrace, type Trace, type TraceEntry } from "./trace/trace-file.ts";
export { tracePipe } from "./trace/trace-pipe.ts";
export { PACKET_BYTES, type PacketPipe, type PacketSizes, type RandomBytes } from "./pipe/packet-pipe.ts";
