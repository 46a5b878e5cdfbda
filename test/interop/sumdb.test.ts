import { hash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  encodeEntry,
  encodeTlogProof,
  encodeVerifierKey,
  fetchCheckpoint,
  fetchConsistency,
  fetchPeaks,
  fetchProvedLeaf,
  followLeaves,
  leafHash,
  type LogEndpoint,
  type MapRecord,
  NO_PEAKS,
  noteSigner,
  parseEntry,
  parseTlogProof,
  rootOfPeaks,
  verifyCheckpoint,
  verifyInclusion,
} from "@touchmark/log";
import { type AdmittedStatement, createStore, type LogServer, openFolder, startLogServer } from "@touchmark/log-server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildSumdb, missingGo } from "../support/go.ts";
import { serveFolder } from "../support/static-server.ts";
import { runTouchmark } from "../support/touchmark.ts";
import { openWorkshop, type Workshop } from "../support/workshop.ts";

const ENTRIES = 70_000;
const ORIGIN = "log.example/interop";
const seed = new Uint8Array(32).fill(3);
const signer = noteSigner(ORIGIN, seed);
const vkey = encodeVerifierKey(signer.key);
const missing = missingGo();
const leftOut = missing === undefined ? "" : ` (left out: ${missing})`;

let root: string;
let sumdb: ReturnType<typeof buildSumdb>;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "touchmark-interop-"));
  if (missing === undefined) sumdb = buildSumdb(root);
});
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

describe.skipIf(missing !== undefined)(`our log, read by Go's golang.org/x/mod/sumdb${leftOut}`, () => {
  let server: LogServer;
  let log: LogEndpoint;
  let older: string;
  beforeAll(async () => {
    const store = await createStore(await openFolder(join(root, "ours"), true), signer, 1_800_000_000);
    for (let first = 0; first < ENTRIES; first += 1000) {
      if (first === 46_000) older = store.checkpoint().note;
      const { note } = await store.append([manyEntries(store.checkpoint().size, 1000)], 1_800_000_000 + first);
      await store.publish(note);
    }
    server = await startLogServer({ store, clock: () => 1_800_000_000 + ENTRIES });
    log = { url: `http://127.0.0.1:${server.port}/`, key: signer.key, fetch };
    writeFileSync(join(root, "older"), older);
  });
  afterAll(() => server.close());

  test("checkpoint, every record, inclusion and consistency", async () => {
    const outcome = await sumdb("check", log.url, vkey, join(root, "older"));
    expect(outcome).toEqual({ exit: 0, text: `${ENTRIES + 71} records, extending ${46_000 + 47}\n` });
  });

  test("a checkpoint that it does not extend is refused by them", async () => {
    const other = verifyCheckpoint(older, signer.key);
    const text = `${ORIGIN}\n${other.size}\n${Buffer.alloc(32).toString("base64")}\n`;
    const { name, keyId, signature } = signer.sign(text);
    const line = Buffer.concat([Buffer.alloc(4), signature]);
    line.writeUInt32BE(keyId);
    writeFileSync(join(root, "forged"), `${text}\n\u2014 ${name} ${line.toString("base64")}\n`);
    expect((await sumdb("check", log.url, vkey, join(root, "forged"))).exit).toBe(1);
  });

  test("a tlog-proof", async () => {
    const checkpoint = await fetchCheckpoint(log);
    const index = 54_321;
    const { leaf, proof: hashes } = await fetchProvedLeaf(log, index, checkpoint);
    const proof = encodeTlogProof({ extra: leaf, index, hashes, checkpoint: checkpoint.note });
    writeFileSync(join(root, "proof"), proof);
    const outcome = await sumdb("proof", join(root, "proof"), vkey);
    expect(outcome).toEqual({ exit: 0, text: `record ${index} of ${checkpoint.size}\n` });
    writeFileSync(join(root, "proof"), proof.replace(`index ${index}`, `index ${index - 1}`));
    expect((await sumdb("proof", join(root, "proof"), vkey)).exit).toBe(1);
  });
});

describe.skipIf(missing !== undefined)(`touchmark log proof, read by Go's golang.org/x/mod/sumdb${leftOut}`, () => {
  let workshop: Workshop;
  beforeAll(async () => {
    workshop = await openWorkshop({ registry: "none" });
    await workshop.claim("pewter");
    await workshop.release({ name: "pewter", version: "1.0.0" });
  });
  afterAll(() => workshop.close());

  test("the proof of a release, and of a claim", async () => {
    const { key } = workshop.log.endpoint;
    for (const [name, index] of [
      ["pewter@1.0.0", 3],
      ["pewter", 1],
    ] as const) {
      const file = join(workshop.makers.directory, `${index}.tlog-proof`);
      await workshop.make(`log proof ${name} --out ${file}`);
      expect(await sumdb("proof", file, key)).toEqual({ exit: 0, text: `record ${index} of 5\n` });
      const { extra } = parseTlogProof(readFileSync(file, "utf8"));
      expect(parseEntry(extra!).kind).toBe(index === 1 ? "claim" : "release");
      expect((await workshop.make(`log check-proof ${file}`)).stdout).toContain("none named in the policy");
    }
  });
  test("there is none of what was never logged", async () => {
    for (const name of ["pewter@2.0.0", "tin"]) {
      const outcome = await runTouchmark(["log", "proof", name, "--out", "x"], workshop.makers);
      expect([outcome.exit, outcome.stdout]).toEqual([1, expect.stringContaining("in the log.")]);
    }
  });
});

describe.skipIf(missing !== undefined)(`a log of Go's golang.org/x/mod/sumdb, read by our client${leftOut}`, () => {
  let folder: string;
  let log: LogEndpoint;
  let close: () => Promise<void>;
  beforeAll(async () => {
    folder = join(root, "theirs");
    const keyId = signer.key.keyId.toString(16).padStart(8, "0");
    const skey = `PRIVATE+KEY+${ORIGIN}+${keyId}+${Buffer.of(1, ...seed).toString("base64")}`;
    expect(await sumdb("write", folder, skey, String(ENTRIES))).toEqual({ exit: 0, text: "" });
    const served = await serveFolder(folder);
    close = () => served.close();
    log = { url: served.url, key: signer.key, fetch };
  });
  afterAll(() => close());

  test("checkpoint and consistency", async () => {
    const newer = await fetchCheckpoint(log);
    const older = verifyCheckpoint(readFileSync(join(folder, "older")), signer.key);
    expect([older.size, newer.size]).toEqual([46_666, ENTRIES]);
    await fetchConsistency(log, older, newer);
    await expect(fetchConsistency(log, { ...older, root: new Uint8Array(32) }, newer)).rejects.toThrow(
      expect.objectContaining({ code: "FORK" }),
    );
  });

  test("every record", async () => {
    const checkpoint = await fetchCheckpoint(log);
    let index = 0;
    for await (const { first, leaves } of followLeaves(log, NO_PEAKS, checkpoint)) {
      expect(first).toBe(index);
      for (const leaf of leaves) {
        const text = Buffer.from(leaf).toString("latin1");
        if (text !== `record ${index}${" and more".repeat(index % 7)}`) expect.fail(`record ${index} is ${text}`);
        index++;
      }
    }
    expect(index).toBe(ENTRIES);
  });

  test("the inclusion of some records, and the tree as it was", async () => {
    const checkpoint = await fetchCheckpoint(log);
    for (const index of [0, 255, 256, 46_665, 65_535, 65_536, 69_887, 69_999]) {
      const { leaf, proof } = await fetchProvedLeaf(log, index, checkpoint);
      expect(Buffer.from(leaf).toString("latin1").startsWith(`record ${index}`)).toBe(true);
      expect(() => {
        verifyInclusion(leafHash(leaf), index === 0 ? 1 : index - 1, ENTRIES, proof, checkpoint.root);
      }).toThrow(expect.objectContaining({ code: "BAD_PROOF" }));
    }
    const older = verifyCheckpoint(readFileSync(join(folder, "older")), signer.key);
    expect(rootOfPeaks(await fetchPeaks(log, older.size, checkpoint))).toEqual(older.root);
  });
});

/** So many entries as the store would append them, of two hundred packages; no rule is asked here, only tree and tiles count. */
function manyEntries(first: number, count: number): AdmittedStatement {
  const digest = hash("sha256", `statement ${first}`, "buffer");
  const heads = new Map<number, MapRecord>();
  const entries = Array.from({ length: count }, (_, i) => {
    const packageHash = hash("sha256", `package ${i % 200}`, "buffer");
    heads.set(i % 200, { packageHash, last: first + i, lastAuthority: null });
    return encodeEntry({
      kind: "release",
      time: 1_800_000_000,
      packageHash,
      envelopeHash: digest,
      previous: null,
      previousAuthority: null,
    });
  });
  const envelope = Buffer.from(String(first));
  return { digest, envelopeHash: digest, envelope, entries, heads: [...heads.values()], releases: [], earlier: [] };
}
