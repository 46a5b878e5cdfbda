// An authenticator that isn't ours, behind our packets: nid-webauthn-emulator, which is a synced passkey (BE and BS set) to whoever asks.
import {
  type AuthorityDraft,
  encodeClaim,
  encodeKey,
  encodeRelease,
  encodeSshSignature,
  enrolmentHash,
  envelopeSignedBytes,
  encodeEnvelope,
  FLAG_BE,
  FLAG_BS,
  FLAG_UP,
  FLAG_UV,
  keyFingerprint,
  preAuthEncoding,
  type Key,
  SK_ECDSA,
  signatureFromAssertion,
  verifySshSignature,
} from "@touchmark/core";
import { nobleCrypto } from "@touchmark/core/noble";
import { Encoder } from "cbor-x";
import {
  AuthenticationEmulatorError,
  AuthenticatorEmulator,
  CTAP_COMMAND,
  CTAP_STATUS_CODE,
} from "nid-webauthn-emulator";
import { beforeEach, describe, expect, test } from "vitest";
import { hasSshKeygen, verifyWithSshKeygen } from "../../core/test/support/openssh.ts";
import { assertKey, checkAttestation, type FidoDevice, type KeyAssertion, openDevice } from "../src/index.ts";
import { type CborValue, encodeCbor } from "../src/cbor/canonical.ts";
import { CAPABILITY } from "../src/hid/channel.ts";
import { PACKET_BYTES } from "../src/pipe/packet-pipe.ts";
import { createHidDevice } from "../src/testing/hid-device.ts";
import { createMemoryPipe } from "../src/pipe/memory.ts";
import { runLog } from "../../log-server/test/support/log.ts";
import { enroll, person } from "./kit.ts";

const RP_ID = "ssh:touchmark";
const PACKAGE = "npm:npmjs/widget";
const ORIGIN = "log.example/main";

let device: FidoDevice;
beforeEach(async () => {
  device = await plug();
});

/** Our framing and keepalives, and behind them an authenticator by others. */
async function plug(): Promise<FidoDevice> {
  const emulator = new AuthenticatorEmulator({ algorithmIdentifiers: ["ES256"] });
  const hid = createHidDevice({
    broadcast: (packet) => end.deliver(packet),
    answer: async (message) => answerOf(emulator, message),
    answerU2f: undefined,
    wink: () => undefined,
    keepaliveEvery: 100,
    capabilities: CAPABILITY.cbor | CAPABILITY.noU2f,
    packetBytes: PACKET_BYTES,
  });
  const { pipe, end } = createMemoryPipe({ receive: hid.receive, hostClosed: () => undefined });
  return openDevice({ kind: "soft", name: "another's", path: "another's", openPipe: async () => pipe });
}

const COMMANDS = new Map([
  [0x01, CTAP_COMMAND.authenticatorMakeCredential],
  [0x02, CTAP_COMMAND.authenticatorGetAssertion],
  [0x04, CTAP_COMMAND.authenticatorGetInfo],
]);

function answerOf(emulator: AuthenticatorEmulator, [command = 0, ...data]: Uint8Array): Uint8Array {
  const known = COMMANDS.get(command);
  if (known === undefined) return Uint8Array.of(CTAP_STATUS_CODE.CTAP1_ERR_INVALID_COMMAND);
  try {
    const { status, data: answer } = emulator.command({
      command: known,
      ...(data.length === 0 ? {} : { data: Uint8Array.from(data) }),
    });
    return Uint8Array.from([status, ...(answer === undefined ? [] : canonical(answer))]);
  } catch (error) {
    if (error instanceof AuthenticationEmulatorError) return Uint8Array.of(error.status);
    throw error;
  }
}

// It writes members that it leaves out as undefined, and in an order of its own; real keys do neither, and are refused if they do.
function canonical(bytes: Uint8Array): Uint8Array {
  const without = (value: unknown): unknown =>
    value instanceof Map
      ? new Map([...value].filter(([, part]) => part !== undefined).map(([key, part]) => [key, without(part)]))
      : value instanceof Uint8Array
        ? Uint8Array.from(value)
        : Array.isArray(value)
          ? value.map(without)
          : value;
  const codec = new Encoder({ useRecords: false, mapsAsObjects: false });
  return encodeCbor(without(codec.decode(bytes)) as CborValue);
}

async function enrolled(): Promise<{
  key: Key;
  credentialId: Uint8Array;
  flags: number;
  attestationObject: Uint8Array;
  fmt: string;
}> {
  const made = await enroll(device, { clientDataHash: enrolmentHash(nobleCrypto, "alice") });
  if (made.publicKey.alg !== "ES256") throw new Error("it made a key of another algorithm");
  return { ...made, key: encodeKey(SK_ECDSA, made.publicKey.point, RP_ID) };
}

test("our client enrols and signs with it; Touchmark and ssh-keygen verify", async () => {
  const { key, credentialId, flags } = await enrolled();
  expect(flags & (FLAG_BE | FLAG_BS)).toBe(FLAG_BE | FLAG_BS);
  const payload = release();
  const tbs = envelopeSignedBytes(nobleCrypto, payload);
  const { authData, signature } = await sign(device, credentialId, nobleCrypto.sha256(tbs));
  const made = signatureFromAssertion(nobleCrypto, key, authData, signature);
  expect(made.flags).toBe(FLAG_UP | FLAG_UV | FLAG_BE | FLAG_BS);
  verifySshSignature(nobleCrypto, made, tbs, { userVerification: true, deviceBound: false });
  if (!hasSshKeygen()) return;
  const blob = encodeSshSignature(made);
  expect(verifyWithSshKeygen(key.record, preAuthEncoding(payload), blob).accepted).toBe(true);
});

test("nobody vouches for it", async () => {
  const { key, attestationObject, fmt } = await enrolled();
  const verdict = checkAttestation({
    attestation: { format: fmt, object: attestationObject },
    key,
    clientDataHash: enrolmentHash(nobleCrypto, "alice"),
    time: 1_800_000_000,
  });
  expect(verdict.attested).toBe(false);
});

describe("[K-13] an authority of hardware keys only", () => {
  test("is not admitted with a synced passkey; without that wish it is, and so is its release", async () => {
    const { key, credentialId } = await enrolled();
    const signed = async (payload: Uint8Array): Promise<Uint8Array> => {
      const clientDataHash = nobleCrypto.sha256(envelopeSignedBytes(nobleCrypto, payload));
      const { authData, signature } = await sign(device, credentialId, clientDataHash);
      const sig = encodeSshSignature(signatureFromAssertion(nobleCrypto, key, authData, signature));
      return encodeEnvelope({ payload, signatures: [{ keyid: keyFingerprint(nobleCrypto, key), sig }] });
    };
    const claim = async (deviceBound: boolean): Promise<Uint8Array> => {
      const authority: AuthorityDraft = {
        keys: [{ holder: "alice", record: key.record }],
        releaseThreshold: 1,
        deviceBound,
      };
      const earlier = { size: 0, root: nobleCrypto.sha256(new Uint8Array()) };
      const packages = new Map([[PACKAGE, { previous: null, earlier }]]);
      return signed(encodeClaim(nobleCrypto, { logs: [ORIGIN], packages, authority }));
    };
    const refused = expect.objectContaining({
      refusal: expect.objectContaining({ status: 422, code: "NOT_DEVICE_BOUND" }),
    });
    const log = await runLog();
    try {
      await expect(log.submit(await claim(true))).rejects.toThrow(refused);
      await log.submit(await claim(false));
      const { entries } = await log.submit(await signed(release()));
      expect([...entries]).toEqual([[PACKAGE, 3]]);
    } finally {
      await log.end();
    }
  });
});

function release(): Uint8Array {
  const digest = "ab".repeat(64);
  return encodeRelease({
    logs: [ORIGIN],
    releases: [{ releaseId: `${PACKAGE}@1.0.0`, sha512: digest, tarSha512: digest }],
  });
}

function sign(on: FidoDevice, credentialId: Uint8Array, clientDataHash: Uint8Array): Promise<KeyAssertion> {
  return assertKey({ device: on, rpId: RP_ID, clientDataHash, credentialIds: [credentialId], interaction: person() });
}
