// What real talks are made of: the beginnings of all that the fuzzer changes.
import { sign } from "node:crypto";
import { enrolmentHash } from "@touchmark/core";
import { nobleCrypto } from "@touchmark/core/noble";
import {
  assertKey,
  type AttestationRoots,
  enrollKey,
  openDevice,
  parseAttestationObject,
  setPin,
} from "../src/index.ts";
import { parseCertificate } from "../src/attestation/certificate.ts";
import { splitRoots } from "../src/attestation/roots.ts";
import {
  basicConstraints,
  createAttestationRoot,
  createBatchAttestation,
  createSoftwareAuthenticator,
  describeSoftDevice,
  issueCertificate,
  name,
} from "../src/testing/index.ts";
import type { AuthenticatorModel } from "../src/testing/index.ts";
import { createCollector } from "../src/trace/collector.ts";

export interface Corpus {
  /** Messages both ways: status or command, and CBOR. */
  readonly messages: readonly Uint8Array[];
  readonly u2fMessages: readonly Uint8Array[];
  readonly attestationObjects: readonly Uint8Array[];
  readonly authData: readonly Uint8Array[];
  readonly certificates: readonly Uint8Array[];
  readonly roots: AttestationRoots;
  readonly metadata: Uint8Array;
  readonly trace: Uint8Array;
}

export const RP_ID = "ssh:touchmark";
export const PIN = "pewter-1234";
export const HOLDER = "ada";

export async function makeCorpus(): Promise<Corpus> {
  const aaguid = new TextEncoder().encode("NOT-HARDWARE-KEY");
  const batch = createBatchAttestation(aaguid);
  const talks = [
    await talk({ attestation: "batch" }),
    await talk({ attestation: "self", pinProtocols: [1], versions: ["FIDO_2_0"], hasPermissions: false }),
    await talk({ attestation: "none", algorithms: [-8] }),
    await talk({ speaks: "u2f" }),
  ];
  const attestationObjects = talks.map(({ attestationObject }) => attestationObject);
  return {
    messages: talks.flatMap(({ messages }) => messages),
    u2fMessages: talks.flatMap(({ u2fMessages }) => u2fMessages),
    attestationObjects,
    authData: attestationObjects.map((object) => parseAttestationObject(object).authDataBytes),
    certificates: [batch.certificate, batch.root],
    roots: splitRoots([batch.root].flatMap((der) => parseCertificate(der) ?? [])),
    metadata: makeMetadata(),
    trace: new TextEncoder().encode(talks.map(({ trace }) => trace).join("")),
  };
}

interface Talk {
  readonly messages: readonly Uint8Array[];
  readonly u2fMessages: readonly Uint8Array[];
  readonly attestationObject: Uint8Array;
  readonly trace: string;
}

async function talk(model: Partial<AuthenticatorModel>): Promise<Talk> {
  const authenticator = createSoftwareAuthenticator({ model });
  const lines: string[] = [];
  const heard = { 0x10: [] as Uint8Array[], 0x03: [] as Uint8Array[] };
  const description = describeSoftDevice(authenticator);
  const listen = (): ((packet: Uint8Array) => void) => {
    const collector = createCollector(64);
    return (packet) => {
      for (const { command, data } of collector.add(packet))
        if (command === 0x10 || command === 0x03) heard[command].push(data);
    };
  };
  const device = await openDevice(
    {
      ...description,
      async openPipe() {
        const pipe = await description.openPipe();
        const [sent, come] = [listen(), listen()];
        return {
          ...pipe,
          async send(packet) {
            sent(packet);
            await pipe.send(packet);
          },
          onPacket(listener) {
            pipe.onPacket((packet) => {
              come(packet);
              listener(packet);
            });
          },
        };
      },
    },
    { timing: { touchPoll: 5 }, trace: (line) => void lines.push(line) },
  );
  const interaction = { askPin: async () => PIN, showTouch: () => undefined };
  const wantUv = model.speaks !== "u2f";
  if (wantUv) await setPin(device, PIN);
  const clientDataHash = enrolmentHash(nobleCrypto, HOLDER);
  const user = { id: Uint8Array.of(1), name: HOLDER };
  const request = { device, rpId: RP_ID, clientDataHash, interaction, wantUv };
  const key = await enrollKey({ ...request, user, algorithms: model.algorithms ?? [-7] });
  await assertKey({ ...request, credentialIds: [key.credentialId] });
  await device.close();
  return {
    messages: heard[0x10],
    u2fMessages: heard[0x03],
    attestationObject: key.attestationObject,
    trace: lines.join(""),
  };
}

function makeMetadata(): Uint8Array {
  const root = createAttestationRoot();
  const subject = name({ commonName: "mds.fidoalliance.org" });
  const by = issueCertificate({ subject, issuer: root, extensions: [basicConstraints(false)] });
  const head = url({ alg: "ES256", x5c: [Buffer.from(by.der).toString("base64")] });
  const statement = { description: "x", attestationRootCertificates: [Buffer.from(root.der).toString("base64")] };
  const entries = [
    {
      aaguid: "00000000-0000-0000-0000-000000000000",
      metadataStatement: statement,
      statusReports: [{ status: "REVOKED" }],
    },
  ];
  const body = url({ no: 1, nextUpdate: "2026-11-23", entries });
  const signature = sign("sha256", Buffer.from(`${head}.${body}`), { key: by.privateKey, dsaEncoding: "ieee-p1363" });
  return new TextEncoder().encode(`${head}.${body}.${signature.toString("base64url")}`);
}

function url(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
