import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { temporaryFolder } from "./support/log.ts";
import { type AdmittedStatement, type Ledger, LEDGER_FORMAT, type TreeHead } from "../src/storage/ledger.ts";
import { sqliteLedger } from "../src/storage/sqlite-ledger.ts";

const BATCH = 500;
const BATCHES = 12; // more than are found by memory alone, and some that are

const hash = (text: string): Uint8Array => Uint8Array.from(createHash("sha256").update(text).digest());
const head = (size: number): TreeHead => ({ size, root: hash(`root ${size}`) });

/** Has entry `index` and one release. */
function statementAt(index: number): AdmittedStatement {
  const packageHash = hash(`package ${index % 100}`);
  const sha512 = new Uint8Array(64).fill(index);
  const release = { packageHash, version: "1.0.0", line: index, sha512, tarSha512: sha512, position: index };
  return {
    digest: hash(`digest ${index}`),
    envelopeHash: hash(`envelope ${index}`),
    envelope: Buffer.from(`${index}`),
    entries: [hash(`entry ${index}`)],
    heads: [],
    releases: [release],
    earlier: [],
  };
}

describe("[L-15] a statement is found by its keys", () => {
  const { dir, remove } = temporaryFolder();
  let ledger: Ledger;
  let size = 1;
  beforeAll(async () => {
    ledger = sqliteLedger(`${dir}/log.sqlite`);
    await ledger.create({ ...head(1), format: LEDGER_FORMAT, key: "key", published: "" }, hash("epoch"));
  });
  afterAll(async () => {
    await ledger.close();
    remove();
  });

  const append = async (): Promise<void> => {
    const statements = Array.from({ length: BATCH }, (_, i) => statementAt(size + i));
    const leaves = [...statements.flatMap(({ entries }) => entries), hash("epoch")];
    await ledger.texts?.write(statements);
    await ledger.append({ from: head(size), to: head(size + leaves.length), leaves, statements });
    size += leaves.length;
  };
  const expectAll = async (): Promise<void> => {
    const indices = Array.from({ length: size }, (_, i) => i).filter((i) => i > 0 && i % (BATCH + 1) !== 0);
    const places = await ledger.places([...indices.map((i) => hash(`digest ${i}`)), hash("digest 0")]);
    expect([...places.values()].map(({ first }) => first)).toEqual(indices);
    for (const index of indices.filter((i) => i % 97 === 0)) {
      const found = await ledger.texts?.envelope(hash(`envelope ${index}`));
      expect([found?.first, Buffer.from(found?.bytes ?? []).toString()]).toEqual([index, `${index}`]);
    }
    const rows = await ledger.releases([{ packageHash: hash("package 7"), version: "1.0.0" }]);
    const lines = rows.map(({ line }) => line).toSorted((a, b) => a - b);
    expect(lines).toEqual(indices.filter((i) => i % 100 === 7));
    expect(await ledger.releases([{ packageHash: hash("package 7"), version: "1.0.1" }])).toEqual([]);
  };

  test("while it is new, when many came after it, and after a restart", async () => {
    for (let i = 0; i < BATCHES; i++) {
      await append();
      if (i % 3 === 0) await expectAll();
    }
    await expectAll();
    await ledger.close();
    ledger = sqliteLedger(`${dir}/log.sqlite`);
    await expectAll();
    await append();
    await expectAll();
  });

  test("and is not taken in twice", async () => {
    const statements = [statementAt(size - 2)];
    const batch = { from: head(size), to: head(size + 1), leaves: [hash("entry")], statements };
    await ledger.texts?.write(statements);
    await expect(ledger.append(batch)).rejects.toThrow(/in the log already/);
    await expectAll();
  });

  test("but not without its envelope", async () => {
    const statements = [statementAt(size + 1)];
    const batch = { from: head(size), to: head(size + 1), leaves: [hash("entry")], statements };
    await expect(ledger.append(batch)).rejects.toThrow(/not stored/);
    await ledger.texts?.write([...statements]); // others, as far as anybody knows
    await expect(ledger.append(batch)).rejects.toThrow(/not stored/);
    await expectAll();
  });
});
