import { sign } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  basicConstraints,
  createAttestationRoot,
  createBatchAttestation,
  createSoftwareAuthenticator,
  issueCertificate,
  name,
  serveUdp,
  touchAfter,
  type UdpAuthenticator,
} from "@touchmark/fido/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Outcome, type Place, runTouchmark } from "../../../test/support/touchmark.ts";

// Whom a person believes about the makers of keys: a metadata file with the root of whoever signs it; and what a key does when asked.

const NOW = 1_795_392_000; // 2026-11-23
const AAGUID = Buffer.from("2fc0579f811347eab116bb5a8db9202a", "hex");
const batch = createBatchAttestation(AAGUID);
const authority = createAttestationRoot({ subject: name({ commonName: "An authority" }) });
const winks: number[] = [];
let served: UdpAuthenticator;
let place: Place;

const touchmark = (command: string): Promise<Outcome> => runTouchmark(command.split(" "), place);

beforeAll(async () => {
  const directory = mkdtempSync(join(tmpdir(), "touchmark-trust-"));
  place = { directory, home: join(directory, "home"), now: () => NOW };
  const key = createSoftwareAuthenticator({
    touch: touchAfter(1),
    batch,
    model: { aaguid: AAGUID, attestation: "batch" },
    wink: () => winks.push(1),
  });
  served = await serveUdp(key);
  const enrolled = await touchmark(`key enroll --holder alice --device ${served.spec}`);
  expect(enrolled.exit, enrolled.text).toBe(0);
  writeFileSync(join(directory, "authority.pem"), pem(authority.der));
  writeFileSync(join(directory, "other.pem"), pem(batch.root));
  writeFileSync(join(directory, "good.jwt"), metadata("2026-12-01"));
  writeFileSync(join(directory, "old.jwt"), metadata("2026-11-01"));
});
afterAll(async () => {
  await served.close();
  rmSync(place.directory, { recursive: true });
});

test("the metadata file's makers are believed, with its signer's root", async () => {
  const { exit, stdout, text } = await touchmark("key list --metadata good.jwt --metadata-root authority.pem");
  expect(exit, text).toBe(0);
  expect(stdout).toMatch(/alice .* yes, by Touchmark test root/);
  const info = await touchmark(`key info --device ${served.spec} --metadata good.jwt --metadata-root authority.pem`);
  expect(info.stdout).toMatch(/model +Key of the metadata, by the metadata\n/);
});

test.each([
  ["that has expired", "old.jwt", "authority.pem", "metadata expired"],
  ["whose signer is vouched for by nobody", "good.jwt", "other.pem", "metadata signer unknown"],
  ["that is none", "authority.pem", "authority.pem", "metadata malformed"],
])("a metadata file %s is believed in nothing", async (_name, file, root, why) => {
  const { stdout } = await touchmark(`key list --metadata ${file} --metadata-root ${root}`);
  expect(stdout).toContain(`no: ${why}`);
});

test("without its signer's root it is not looked at", async () => {
  const { exit, stderr } = await touchmark("key list --metadata good.jwt");
  expect([exit, stderr]).toEqual([2, expect.stringContaining("--metadata and --metadata-root go together.")]);
});

test("of a key that names nothing, faults can't be told before it is enrolled", async () => {
  const old = await serveUdp(createSoftwareAuthenticator({ touch: touchAfter(1), batch, model: { speaks: "u2f" } }));
  const { exit, stdout, text } = await touchmark(`key info --device ${old.spec}`);
  await old.close();
  expect(exit, text).toBe(0);
  expect(stdout).toMatch(/protocol +U2F\n[^]*known faults: can be told once the key is enrolled/);
});

test("key info --wink has the key show itself", async () => {
  expect((await touchmark(`key info --device ${served.spec}`)).exit).toBe(0);
  expect(winks).toEqual([]);
  const { exit, text } = await touchmark(`key info --device ${served.spec} --wink`);
  expect(exit, text).toBe(0);
  expect(winks).toEqual([1]);
});

function metadata(nextUpdate: string): string {
  const signer = issueCertificate({
    subject: name({ commonName: "mds.fidoalliance.org" }),
    issuer: authority,
    extensions: [basicConstraints(false)],
  });
  const url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const entry = {
    aaguid: "2fc0579f-8113-47ea-b116-bb5a8db9202a",
    metadataStatement: {
      description: "Key of the metadata",
      attestationRootCertificates: [Buffer.from(batch.root).toString("base64")],
    },
    statusReports: [],
  };
  const head = url({ alg: "ES256", x5c: [Buffer.from(signer.der).toString("base64")] });
  const signed = `${head}.${url({ no: 1, nextUpdate, entries: [entry] })}`;
  const signature = sign("sha256", Buffer.from(signed), { key: signer.privateKey, dsaEncoding: "ieee-p1363" });
  return `${signed}.${signature.toString("base64url")}`;
}

function pem(der: Uint8Array): string {
  return `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString("base64")}\n-----END CERTIFICATE-----\n`;
}
