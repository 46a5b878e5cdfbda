import { packageIdHash } from "@touchmark/core";
import { type MapRecord, nodeCrypto } from "@touchmark/log";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type AdmittedStatement, openFolder, openStorage, type Storage } from "../src/index.ts";
import { LEDGER_FORMAT, type LedgerBatch, type TreeHead } from "../src/storage/ledger.ts";
import { closeStorage } from "../src/storage/storage.ts";
import { temporaryFolder } from "./support/log.ts";
import { type RunningPostgres, startPostgres } from "./support/postgres.ts";
import { type RunningSwift, startSwift } from "./support/swift.ts";

const failure = (code: string): unknown => expect.objectContaining({ code });
const bytes = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value);
let postgres: RunningPostgres;
let swift: RunningSwift;
const cleanups: (() => unknown)[] = [];

beforeAll(async () => {
  [postgres, swift] = await Promise.all([startPostgres(), startSwift()]);
});
afterAll(async () => {
  for (const clean of cleanups) await clean();
  await Promise.all([postgres.stop(), swift.stop()]);
});

/** As a store appends a batch: its texts first. */
const append = async (ledger: Storage["ledger"], batch: LedgerBatch): Promise<void> => {
  await ledger.texts?.write(batch.statements);
  await ledger.append(batch);
};
const head = (size: number): TreeHead => ({ size, root: bytes(32, size) });
const row = (size: number): Parameters<Storage["ledger"]["create"]>[0] => ({
  ...head(size),
  format: LEDGER_FORMAT,
  key: "key",
  published: `note ${size}`,
});
const record = (name: string, last: number, lastAuthority: number | null = null): MapRecord => ({
  packageHash: packageIdHash(nodeCrypto, `npm:npmjs/${name}`),
  last,
  lastAuthority,
});

/** Two statements: one about two packages, one about one of them again. */
const statements: readonly AdmittedStatement[] = [
  {
    digest: bytes(32, 1),
    envelopeHash: bytes(32, 11),
    envelope: bytes(100, 11),
    entries: [bytes(90, 1), bytes(90, 2)],
    heads: [record("a", 1, 1), record("b", 2, 2)],
    releases: [],
    earlier: [],
  },
  {
    digest: bytes(32, 2),
    envelopeHash: bytes(32, 12),
    envelope: bytes(100, 12),
    entries: [bytes(90, 3)],
    heads: [record("a", 3, 1)],
    releases: [
      {
        packageHash: record("a", 3).packageHash,
        version: "1.0.0",
        sha512: bytes(64, 5),
        tarSha512: bytes(64, 6),
        line: 1,
        position: 3,
      },
      // What a committee said of one version, and said again: both stay.
      ...[3, 4].map((position) => ({
        packageHash: record("c", 3).packageHash,
        version: "npm:npmjs/a@1.0.0",
        sha512: bytes(64, 7),
        tarSha512: bytes(64, position),
        line: position,
        position,
      })),
    ],
    earlier: [],
  },
];
const batch: LedgerBatch = {
  from: head(1),
  to: head(5),
  leaves: [...statements.flatMap(({ entries }) => entries), bytes(58, 4)],
  statements,
};

type Half = { open: () => Promise<Storage> };
const halves: [string, () => Promise<Half>][] = [
  [
    "SQLite and a folder",
    async () => {
      const { dir, remove } = temporaryFolder();
      cleanups.push(remove);
      return { open: () => openFolder(dir, true) };
    },
  ],
  [
    "PostgreSQL and S3",
    async () => {
      const [ledger, blobs] = [await postgres.makeDatabase(), await swift.makeBucket()];
      return { open: () => openStorage({ dir: "/nowhere", ledger, blobs }, false, { takeover: 0 }) };
    },
  ],
];

describe.each(halves)("%s", (name, make) => {
  let half: Half;
  let storage: Storage;
  beforeAll(async () => {
    half = await make();
    storage = await half.open();
  });
  afterAll(() => closeStorage(storage));

  test("a log is made once", async () => {
    expect(await storage.ledger.row()).toBeUndefined();
    await storage.ledger.create(row(1), bytes(58, 0));
    expect(await storage.ledger.row()).toEqual(row(1));
    await expect(storage.ledger.create(row(1), bytes(58, 0))).rejects.toThrow(failure("STORE_EXISTS"));
    expect(await storage.ledger.takeWriting()).toBe(true);
  });

  test("[L-30] a batch is added whole, and only to the tree that it extends", async () => {
    const { ledger } = storage;
    const other = { ...batch, from: head(2) };
    await expect(append(ledger, other)).rejects.toThrow(failure("STORE_CHANGED"));
    // The second statement has the first one's digest, which is found out when half of the batch is written.
    const double = { ...batch, statements: statements.map((statement) => ({ ...statement, digest: bytes(32, 1) })) };
    await expect(append(ledger, double)).rejects.toThrow();
    expect([await ledger.leafCount(), (await ledger.row())?.size]).toEqual([1, 1]);
    await append(ledger, batch);
    expect(await ledger.row()).toEqual({ ...row(5), published: "note 1" });
    await expect(append(ledger, batch)).rejects.toThrow(failure("STORE_CHANGED"));
    await ledger.setPublished("note 5 — cosigned");
    expect((await ledger.row())?.published).toBe("note 5 — cosigned");
  });

  test("what was added is read", async () => {
    const { ledger } = storage;
    expect(await ledger.leafCount()).toBe(5);
    expect(await ledger.leaves(1, 3)).toEqual(
      [bytes(90, 1), bytes(90, 2)].map((leaf) => expect.objectContaining(leaf)),
    );
    expect(await ledger.leaves(4, 99)).toHaveLength(1);
    expect([...(await ledger.leavesAt([3, 0, 77]))].map(([index, leaf]) => [index, leaf[0]])).toEqual(
      expect.arrayContaining([
        [0, 0],
        [3, 3],
      ]),
    );
    const places = await ledger.places([bytes(32, 1), bytes(32, 2), bytes(32, 9)]);
    expect(places.get("01".repeat(32))).toEqual({ first: 1, count: 2 });
    expect(places.get("02".repeat(32))).toEqual({ first: 3, count: 1 });
    expect(places.size).toBe(2);
    const { packageHash } = record("a", 0);
    const found = await ledger.releases([
      { packageHash, version: "1.0.0" },
      { packageHash, version: "1.0.1" },
    ]);
    expect(found.map(({ version, position, tarSha512 }) => [version, position, tarSha512[0]])).toEqual([
      ["1.0.0", 3, 6],
    ]);
    expect(await ledger.releases([])).toEqual([]);
    const reviews = await ledger.releases([{ packageHash: record("c", 0).packageHash, version: "npm:npmjs/a@1.0.0" }]);
    expect(new Set(reviews.map(({ line, position }) => `${line} ${position}`))).toEqual(new Set(["3 3", "4 4"]));
  });

  test("heads are kept by PostgreSQL alone", async () => {
    const heads: MapRecord[] = [];
    for await (const piece of storage.ledger.heads?.() ?? []) heads.push(...piece);
    const kept = heads.toSorted((a, b) => a.last - b.last).map(({ last, lastAuthority }) => [last, lastAuthority]);
    expect(kept).toEqual(
      name.startsWith("SQLite")
        ? []
        : [
            [2, 2],
            [3, 1],
          ],
    );
  });

  test("blobs are there once they are written, and the shown checkpoint is the newest", async () => {
    const { blobs } = storage;
    expect(await blobs.read("tile/0/000")).toBeUndefined();
    const many = Array.from({ length: 50 }, (_, i) => ({ path: `tile/0/x001/${100 + i}`, bytes: bytes(8192, i) }));
    await blobs.write([{ path: "tile/0/000", bytes: bytes(8192, 1) }, ...many]);
    expect(await blobs.read("tile/0/000")).toHaveLength(8192);
    expect((await blobs.read("tile/0/x001/149"))?.[77]).toBe(49);
    await blobs.write([{ path: "tile/0/000", bytes: bytes(3, 2) }]);
    expect(await blobs.read("tile/0/000")).toHaveLength(3);
    for (const note of ["a longer first note\n", "second\n"]) {
      await blobs.show(note);
      expect(Buffer.from((await blobs.read("checkpoint"))!).toString()).toBe(note);
    }
  });

  test("all is there again after it was closed", async () => {
    await closeStorage(storage);
    storage = await half.open();
    expect((await storage.ledger.row())?.size).toBe(5);
    expect(await storage.ledger.takeWriting()).toBe(true);
    expect(await storage.blobs.read("tile/0/x001/100")).toHaveLength(8192);
  });
});

describe("[L-31] one writer of a log in PostgreSQL", () => {
  const open = (ledger: string, takeover = 0): Promise<Storage> =>
    openStorage({ dir: temporary(), ledger }, false, { takeover });
  const temporary = (): string => {
    const { dir, remove } = temporaryFolder();
    cleanups.push(remove);
    return dir;
  };

  test("others wait until it is done", async () => {
    const address = await postgres.makeDatabase();
    const [first, second] = [await open(address), await open(address)];
    await first.ledger.create(row(1), bytes(58, 0));
    expect(await first.ledger.takeWriting()).toBe(true);
    expect(await second.ledger.takeWriting()).toBe(false);
    expect((await second.ledger.row())?.size).toBe(1);
    await closeStorage(first);
    expect(await second.ledger.takeWriting()).toBe(true);
    await append(second.ledger, batch);
    await closeStorage(second);
  });

  test("one that was cut off stores nothing more, whoever has taken over", async () => {
    const address = await postgres.makeDatabase();
    const first = await open(address);
    await first.ledger.create(row(1), bytes(58, 0));
    await first.ledger.takeWriting();
    await postgres.cutConnections(address);
    const second = await open(address, 300);
    const begun = performance.now();
    expect(await second.ledger.takeWriting()).toBe(true);
    expect(performance.now() - begun).toBeGreaterThan(290); // what the first had under way is over by then
    await expect(append(first.ledger, batch)).rejects.toThrow(failure("STORE_LOST"));
    await expect(first.ledger.setPublished("x")).rejects.toThrow(failure("STORE_LOST"));
    await append(second.ledger, batch);
    await closeStorage(first);
    await closeStorage(second);
  });

  test("one whose number is an old one stores nothing, though its connection lives", async () => {
    const address = await postgres.makeDatabase();
    const storage = await open(address);
    await storage.ledger.create(row(1), bytes(58, 0));
    await storage.ledger.takeWriting();
    await postgres.sql(address, "UPDATE log SET writer = writer + 1");
    await expect(append(storage.ledger, batch)).rejects.toThrow(failure("STORE_LOST"));
    await expect(storage.ledger.setPublished("x")).rejects.toThrow(failure("STORE_LOST"));
    expect((await storage.ledger.row())?.published).toBe("note 1");
    await closeStorage(storage);
  });

  test("a server that has no connection left is out of reach, and nothing in it is damaged", async () => {
    const address = await postgres.makeDatabase();
    await postgres.sql(address, "CREATE ROLE few LOGIN CONNECTION LIMIT 0");
    const read = async (): Promise<unknown> => (await open(address.replace("//touchmark@", "//few@"))).ledger.row();
    await expect(read()).rejects.toThrow(failure("STORE_UNREACHABLE"));
  });

  test("a server that crashed has what it committed", async () => {
    const address = await postgres.makeDatabase();
    const storage = await open(address);
    await storage.ledger.create(row(1), bytes(58, 0));
    await storage.ledger.takeWriting();
    await append(storage.ledger, batch);
    await postgres.crash();
    await expect(append(storage.ledger, { ...batch, from: head(5) })).rejects.toThrow(failure("STORE_LOST"));
    await closeStorage(storage);
    const again = await open(address);
    expect((await again.ledger.row())?.size).toBe(5);
    await closeStorage(again);
  });
});

describe("addresses", () => {
  const s3 = "s3://bucket/prefix";
  test.each([
    [{ ledger: "mysql://x/y" }, /not postgres/],
    [{ ledger: "postgres://log:secret@127.0.0.1/log" }, /has a password in it/],
    [{ ledger: "postgres://127.0.0.1/log?password=secret" }, /has a password in it/],
    [{ blobs: "http://bucket" }, /not s3/],
    [{ blobs: "s3://key:secret@bucket" }, /has a key in it/],
    [{ blobs: `${s3}?endpoint=file:///x` }, /no http/],
    [{ blobs: `${s3}?secret=1` }, /not known/],
  ])("%j is refused", async (addresses, message) => {
    const { dir, remove } = temporaryFolder();
    cleanups.push(remove);
    await expect(openStorage({ dir, ...addresses }, true)).rejects.toThrow(
      expect.objectContaining({ code: "BAD_ADDRESS", message: expect.stringMatching(message) as unknown }),
    );
  });

  test("where nobody listens is said to be unreachable, without the address", async () => {
    const ledger = "postgres://127.0.0.1:1/log";
    await expect(openStorage({ dir: "/nowhere", ledger }, false)).rejects.toThrow(failure("STORE_UNREACHABLE"));
  });
});
