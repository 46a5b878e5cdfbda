import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeBase64 } from "@touchmark/core";
import {
  type AuthenticatorModel,
  type BatchAttestation,
  createAttestationRoot,
  createBatchAttestation,
  createSoftwareAuthenticator,
  name,
  serveUdp,
  touchAfter,
  type UdpAuthenticator,
} from "@touchmark/fido/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packRelease, tarballFile } from "../support/packed.ts";
import { type Outcome, type Place, runTouchmark } from "../support/touchmark.ts";
import { openWorkshop, type Workshop } from "../support/workshop.ts";

// K1 and K5 by the command line: people enrol keys of several makers, and the consumer's policy says whose count.

const MODEL = Buffer.from("NOT-HARDWARE-KEY");
const stranger = createAttestationRoot({ subject: name({ organisation: "Stranger", commonName: "Stranger's root" }) });
const batches = {
  alice: createBatchAttestation(MODEL),
  bob: { ...createBatchAttestation(MODEL, { issuer: stranger }), root: stranger.der },
};
const served: UdpAuthenticator[] = [];
let workshop: Workshop;
let desk: Place;
let authority: string;

const touchmark = (command: string, place: Place = desk): Promise<Outcome> => runTouchmark(command.split(" "), place);
async function make(command: string): Promise<Outcome> {
  const outcome = await touchmark(command);
  expect(outcome.exit, outcome.text).toBe(0);
  return outcome;
}

async function plug(batch?: BatchAttestation): Promise<string> {
  const model: Partial<AuthenticatorModel> = batch === undefined ? {} : { attestation: "batch" };
  const key = createSoftwareAuthenticator({ touch: touchAfter(1), model, ...(batch && { batch }) });
  const server = await serveUdp(key);
  served.push(server);
  return server.spec;
}

beforeAll(async () => {
  workshop = await openWorkshop({ registry: "none" });
  const directory = join(workshop.root, "attested");
  mkdirSync(directory);
  desk = { directory, home: join(workshop.root, "attested-home") };
  setPolicy({});
  const devices = { alice: await plug(batches.alice), bob: await plug(batches.bob), carol: await plug() };
  for (const [holder, device] of Object.entries(devices)) {
    await make(`key enroll --holder ${holder} --device ${device}`);
    await make(`key export --holder ${holder} --out ${holder}.card`);
  }
  await make(
    "claim widget --key alice.card --key bob.card --key carol.card --threshold 2 --no-earlier --out c.touchmark",
  );
  for (const holder of Object.keys(devices)) await make(`sign c.touchmark --holder ${holder} --yes`);
  const { stdout } = await make("submit c.touchmark --json");
  authority = (JSON.parse(stdout) as { authority: string }).authority;
  const packed = packRelease({ name: "widget", version: "1.0.0" });
  writeFileSync(join(directory, tarballFile(packed)), packed.tarball);
  for (const holder of ["alice", "bob"]) await make(`sign widget-1.0.0.tgz --holder ${holder} --yes`);
});
afterAll(async () => {
  for (const server of served) await server.close();
  await workshop.close();
});

function setPolicy(more: object): void {
  const { registry, log } = workshop;
  const policy = { version: 1, registries: { npmjs: [registry.url] }, log: log.endpoint, ...more };
  writeFileSync(join(desk.directory, "touchmark.json"), JSON.stringify(policy));
}

function demand(keys: object, ...roots: Uint8Array[]): void {
  setPolicy({
    packages: { widget: { level: "strict", authority, keys } },
    ...(roots.length === 0 ? {} : { attestationRoots: roots.map((der) => encodeBase64(der)) }),
  });
}

const verdicts = { beside: "before it is logged, by the signature file", logged: "in the log" };

test.each(Object.entries(verdicts))("%s: %s", async (state) => {
  if (state === "logged") await make("submit widget-1.0.0.tgz.touchmark");
  const verify = (): Promise<Outcome> => touchmark("verify widget-1.0.0.tgz --online");

  demand({});
  expect((await verify()).exit).toBe(0);

  demand({ attested: true }, batches.alice.root);
  const unknown = await verify();
  expect(unknown.exit, unknown.text).toBe(1);
  expect(unknown.stdout).toContain("1 of 2 holders");
  expect(unknown.stdout).toMatch(
    /The signature of bob by SHA256:\S+ is not counted: none of the roots .* \[KEY_ROOT_UNKNOWN/,
  );
  expect(unknown.stdout).not.toContain("signature of alice");

  demand({ attested: true, deviceBound: true }, batches.alice.root, batches.bob.root);
  const both = await verify();
  expect(both.exit, both.text).toBe(0);

  demand({ userVerification: true }, batches.alice.root);
  const unverified = await verify();
  expect(unverified.exit, unverified.text).toBe(1);
  for (const holder of ["alice", "bob"])
    expect(unverified.stdout).toMatch(new RegExp(`signature of ${holder} .*KEY_NOT_VERIFIED`));

  const aaguid = MODEL.toString("hex");
  demand({ forbidModels: [aaguid] }, batches.alice.root, batches.bob.root);
  const forbidden = await verify();
  expect(forbidden.exit, forbidden.text).toBe(1);
  expect(forbidden.stdout).toContain("KEY_MODEL_FORBIDDEN");
});

test("a lockfile is held to it like a tarball", async () => {
  const integrity = `sha512-${createHash("sha512")
    .update(readFileSync(join(desk.directory, "widget-1.0.0.tgz")))
    .digest("base64")}`;
  const resolved = `${workshop.registry.url}widget/-/widget-1.0.0.tgz`;
  const packages = { "": {}, "node_modules/widget": { version: "1.0.0", resolved, integrity } };
  writeFileSync(join(desk.directory, "package-lock.json"), JSON.stringify({ lockfileVersion: 3, packages }));
  demand({ attested: true }, batches.alice.root, batches.bob.root);
  const good = await touchmark("verify --online");
  expect(good.exit, good.text).toBe(0);
  demand({ attested: true, userVerification: true }, batches.alice.root, batches.bob.root);
  const refused = await touchmark("verify --online");
  expect(refused.exit, refused.text).toBe(1);
  expect(refused.stdout).toContain("KEY_NOT_VERIFIED");
});

test("explain says what is asked of keys", async () => {
  demand({ attested: true, userVerification: true, forbidModels: ["0".repeat(32)] }, batches.alice.root);
  const { exit, stdout, text } = await touchmark("explain widget@1.0.0 --online");
  expect(exit, text).toBe(1);
  expect(stdout).toMatch(/keys +PIN or fingerprint; attested by one of 1 root; not of 1 forbidden model/);
});
