// Everything that reads foreign bytes. Each reader may return or throw a FidoError, and what it took for good has to be what was there.
import { isDeepStrictEqual } from "node:util";
import { enrolmentHash } from "@touchmark/core";
import { nobleCrypto } from "@touchmark/core/noble";
import {
  checkAttestation,
  checkMetadata,
  decodeCbor,
  FidoError,
  parseAttestationObject,
  parseAuthData,
  parseDeviceSpec,
  parseTrace,
} from "../src/index.ts";
import { parseCertificate } from "../src/attestation/certificate.ts";
import { encodeCbor } from "../src/cbor/canonical.ts";
import { parseMakeCredentialAnswer } from "../src/ctap2/attestation.ts";
import { parseGetAssertionAnswer } from "../src/ctap2/get-assertion.ts";
import { parseInfo } from "../src/ctap2/info.ts";
import { parsePacket } from "../src/hid/framing.ts";
import { parseReportDescriptor } from "../src/pipe/report-descriptor.ts";
import { createCollector } from "../src/trace/collector.ts";
import { createRedactor } from "../src/trace/redact.ts";
import { parseAnswer, parseApdu } from "../src/u2f/apdu.ts";
import { parseRegistration, parseU2fSignature } from "../src/u2f/messages.ts";
import { type Corpus, HOLDER, RP_ID } from "./corpus.ts";
import { mutate, type Random } from "./random.ts";

export interface Target {
  readonly name: string;
  /** Throws FuzzFailure. */
  readonly run: (random: Random) => void | Promise<void>;
}

/** Something that must not happen, with what made it happen. */
export class FuzzFailure extends Error {
  override readonly name = "FuzzFailure";
}

interface Reader {
  readonly name: string;
  readonly samples: readonly Uint8Array[];
  /** May throw a FidoError; false: what it took for good is not what was there. */
  readonly read: (bytes: Uint8Array) => unknown;
}

export function parserTargets(corpus: Corpus): Target[] {
  return readersOf(corpus).map(({ name, samples, read }) => ({
    name,
    run(random) {
      const sample = samples[random.below(Math.max(1, samples.length))];
      const bytes =
        sample === undefined || random.below(8) === 0
          ? random.bytes(random.below(300))
          : mutate(random, sample, samples);
      let outcome: unknown;
      try {
        outcome = read(bytes);
      } catch (error) {
        if (error instanceof FidoError) return;
        throw failure(name, bytes, error);
      }
      if (outcome === false) throw failure(name, bytes, "it was taken for something else");
    },
  }));
}

const FIDO_DESCRIPTOR = new Uint8Array(
  Buffer.from("06d0f10901a1010920150026ff007508954081020921150026ff00750895409102c0", "hex"),
);

function readersOf(corpus: Corpus): Reader[] {
  const answers = corpus.messages.map((message) => message.subarray(1)).filter(({ length }) => length > 0);
  const { u2fMessages } = corpus;
  const key = { publicKey: new Uint8Array(65), application: RP_ID };
  const specs = ["usb", "udp:127.0.0.1:8111:7112", "udp:[::1]:9", "soft:x"].map((text) =>
    new TextEncoder().encode(text),
  );
  return [
    { name: "packet", samples: [], read: (bytes) => void parsePacket(bytes, bytes.length < 24 ? 64 : bytes.length) },
    { name: "CBOR", samples: answers, read: (bytes) => isSame(encodeCbor(decodeCbor(bytes)), bytes) },
    { name: "getInfo", samples: answers, read: (bytes) => void parseInfo(bytes) },
    { name: "makeCredential", samples: answers, read: (bytes) => void parseMakeCredentialAnswer(bytes) },
    { name: "getAssertion", samples: answers, read: (bytes) => void parseGetAssertionAnswer(bytes, []) },
    { name: "authenticator data", samples: corpus.authData, read: (bytes) => void parseAuthData(bytes) },
    {
      name: "attestation object",
      samples: corpus.attestationObjects,
      read: (bytes) => isSame(parseAttestationObject(bytes).objectBytes, bytes),
    },
    {
      name: "attestation",
      samples: corpus.attestationObjects,
      read(object) {
        const clientDataHash = enrolmentHash(nobleCrypto, HOLDER);
        const verdicts = ["packed", "fido-u2f"].map((format) =>
          checkAttestation({ attestation: { format, object }, key, clientDataHash, roots: corpus.roots, time: 0 }),
        );
        // The key that is asked for is nobody's.
        return verdicts.every(({ attested }) => !attested);
      },
    },
    { name: "certificate", samples: corpus.certificates, read: (bytes) => void parseCertificate(bytes) },
    {
      name: "metadata",
      samples: [corpus.metadata],
      read(blob) {
        const metadata = checkMetadata({ blob, signers: corpus.roots, time: 0 });
        metadata.find("00".repeat(16), []);
        // Nobody whom these roots vouch for has signed it.
        return metadata.reasons.length > 0;
      },
    },
    { name: "U2F registration", samples: u2fMessages, read: (bytes) => void parseRegistration(bytes) },
    { name: "U2F signature", samples: u2fMessages, read: (bytes) => void parseU2fSignature(bytes) },
    { name: "APDU", samples: u2fMessages, read: (bytes) => void [parseApdu(bytes), parseAnswer(bytes)] },
    { name: "report descriptor", samples: [FIDO_DESCRIPTOR], read: (bytes) => void parseReportDescriptor(bytes) },
    {
      name: "trace",
      samples: [corpus.trace.subarray(0, 4_000)],
      read: (bytes) => void parseTrace(Buffer.from(bytes).toString()),
    },
    { name: "redaction", samples: corpus.messages, read: keepsLength },
    {
      name: "device name",
      samples: specs,
      read: (bytes) => void parseDeviceSpec(Buffer.from(bytes).toString("latin1")),
    },
  ];
}

function keepsLength(bytes: Uint8Array): boolean {
  const redactor = createRedactor();
  const message = { channel: 1, command: 0x10, data: bytes, isWhole: true };
  const both = [redactor.host(message), redactor.device(message), redactor.device({ ...message, isWhole: false })];
  const collector = createCollector(64);
  for (let at = 0; at < bytes.length; at += 64) collector.add(bytes.subarray(at, at + 64));
  collector.rest();
  return both.every(({ data }) => data.length === bytes.length);
}

function isSame(left: Uint8Array, right: Uint8Array): boolean {
  return isDeepStrictEqual(Buffer.from(left), Buffer.from(right));
}

export function failure(name: string, bytes: Uint8Array, cause: unknown): FuzzFailure {
  return new FuzzFailure(`${name}: ${String(cause)}: ${Buffer.from(bytes).toString("hex")}`, { cause });
}
