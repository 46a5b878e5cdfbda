/**
 * Makes test/vectors/auditing/logs.json: `node packages/log-server/test/support/audit-vectors.ts` writes it. The logs are built leaf by leaf, past every check,
 * and what an auditor has to say of each is told here beforehand. What the tests read is what lies there.
 */
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { packageIdHash, statementChains, verifyEnvelope } from "@touchmark/core";
import {
  createPackageMap,
  encodeEntry,
  encodeEpoch,
  encodeVerifierKey,
  type EntryKind,
  type EpochLeaf,
  isAuthorityKind,
  nodeCrypto,
  type PackageEntry,
  parseEntry,
  signCheckpoint,
} from "@touchmark/log";
import { naiveLeaf, naiveRoot } from "../../../log/test/naive.ts";
import { signer, START } from "./log.ts";
import { claim, type Earlier, earlierRoot, person, release, revoke, sha512Hex } from "./statements.ts";

/** What an auditor says: it cosigns, a rule is broken at a leaf, or it can't say (yet), where there is a rule for that by its number. */
export type Verdict = "cosigned" | { broken: string; leaf: number } | { unchecked: string };

/** `now`: the auditor's clock when it first sees the checkpoint. */
export type AuditCase = { name: string; now: number; verdict: Verdict } & ServedLog;

/** A log as anybody can read it, bytes as hex. `envelopes` by the SHA-256 that their entries name, `earlier` by the root of the list. */
export type ServedLog = {
  key: string;
  checkpoint: string;
  leaves: string[];
  envelopes: Record<string, string>;
  earlier: Record<string, string>;
};

export const AUDIT_VECTORS: URL = new URL("../../../../test/vectors/auditing/", import.meta.url);

const [alice, bob, carol, mallory] = ["alice", "bob", "carol", "mallory"].map((holder) => person(holder)) as [
  ReturnType<typeof person>,
  ReturnType<typeof person>,
  ReturnType<typeof person>,
  ReturnType<typeof person>,
];
const [widget, gadget] = ["npm:npmjs/widget", "npm:npmjs/gadget"];
const OLD: Earlier = [["0.9.0", sha512Hex("old")]];
const LIST = `0.9.0 ${sha512Hex("old")}\n`;
const claimed = claim({ [widget]: [] }, [alice, bob, carol], { threshold: 2 });
const both = claim({ [widget]: [], [gadget]: [] }, [alice, bob, carol], { threshold: 2 });
const released = release([`${widget}@1.0.0`], [alice, bob]);
const twoAtOnce = release([`${widget}@1.0.0`, `${gadget}@1.0.0`], [alice, bob]);

type Forge = Partial<PackageEntry> & {
  /** What becomes of each of the statement's entries. */
  entries?: (entries: Uint8Array[]) => Uint8Array[];
  /** Leaves the map as it was. */
  unmapped?: boolean;
  /** The envelope that is served instead; null for none. */
  served?: string | null;
};

type Builder = {
  /** A statement's entries. */
  log: (envelope: Uint8Array, forge?: Forge) => Builder;
  epoch: (forge?: Partial<EpochLeaf>) => Builder;
  leaf: (bytes: Uint8Array) => Builder;
  list: (root: Uint8Array, text: string) => Builder;
  tick: (seconds: number) => Builder;
  served: () => ServedLog;
};

export function makeAuditCases(): AuditCase[] {
  const start = (): Builder => begin().epoch();
  const claims = (): Builder => start().log(claimed).epoch();
  const told = (name: string, log: Builder, verdict: Verdict, now = START): AuditCase => ({
    name,
    now,
    verdict,
    ...log.served(),
  });
  const broken = (name: string, rule: string, leaf: number, log: Builder): AuditCase =>
    told(name, log, { broken: rule, leaf });
  const after = (envelope: Uint8Array, forge?: Forge): Builder => claims().log(envelope, forge).epoch();
  const withList = (size: number, list: string): Builder =>
    start()
      .log(claim({ [widget]: OLD }, [alice], { earlierSize: size }))
      .list(earlierRoot(OLD).root, list)
      .epoch();
  return [
    told("nothing yet", start(), "cosigned"),
    told("a claim and a release", after(released), "cosigned"),
    told(
      "two packages at once, and a key revoked for both",
      start()
        .log(both)
        .epoch()
        .log(revoke([widget, gadget], [carol], [carol]))
        .log(twoAtOnce)
        .epoch(),
      "cosigned",
    ),
    told("a claim of earlier versions", withList(1, LIST), "cosigned"),
    told(
      "epoch leaves while nothing happens",
      claims().tick(3600).epoch().tick(3600).epoch(),
      "cosigned",
      START + 7200,
    ),
    told("a clock ten minutes behind", claims(), "cosigned", START - 600),
    told("a last leaf that is ten minutes old", claims(), "cosigned", START + 600),

    broken("a leaf of no form", "L-1", 1, start().leaf(Buffer.from("leaf")).epoch()),
    broken(
      "a leaf of an unknown kind",
      "L-1",
      1,
      start()
        .log(claimed, { entries: ([first]) => [edited(first!, 1, 14)] })
        .epoch(),
    ),
    broken(
      "an entry that skips its package's last one",
      "L-2",
      5,
      claims()
        .log(released)
        .epoch()
        .log(release([`${widget}@1.0.1`], [alice, bob]), { previous: 1 })
        .epoch(),
    ),
    broken("an entry that names no authority entry", "L-2", 3, after(released, { previousAuthority: null })),
    broken("an epoch leaf that covers another number of leaves", "L-3", 2, start().log(claimed).epoch({ covers: 1 })),
    broken(
      "an epoch leaf that names another one before it",
      "L-3",
      4,
      claims().log(released).epoch({ previousEpoch: 0 }),
    ),
    broken("an entry of another kind than its statement", "L-4", 3, after(released, { kind: "review" })),
    broken(
      "an epoch leaf between the entries of one statement",
      "L-6",
      5,
      start()
        .log(both)
        .epoch()
        .log(twoAtOnce, { entries: ([first]) => [first!] })
        .epoch(),
    ),
    broken(
      "one of a statement's entries missing, and another statement's there",
      "L-6",
      5,
      start()
        .log(both)
        .epoch()
        .log(twoAtOnce, { entries: ([first]) => [first!] })
        .log(release([`${gadget}@1.0.0`], [alice, bob]))
        .epoch(),
    ),
    broken(
      "a statement's entries in another order",
      "L-6",
      4,
      start()
        .log(both)
        .epoch()
        .log(twoAtOnce, { entries: (entries) => entries.toReversed() })
        .epoch(),
    ),
    broken("time runs back", "L-7", 3, after(released, { time: START - 1 })),
    broken("the first leaf is no epoch leaf", "L-8", 0, begin().log(claimed).epoch()),
    broken("the last leaf is no epoch leaf", "L-8", 1, start().log(claimed)),
    broken("an entry that the map never learned of", "L-9", 2, start().log(claimed, { unmapped: true }).epoch()),
    broken("the map of an older epoch", "L-9", 4, claims().log(released, { unmapped: true }).epoch()),
    broken(
      "a map with a package that nobody claimed",
      "L-9",
      2,
      start()
        .log(claimed)
        .epoch({ mapRoot: createHash("sha256").update("a map").digest() }),
    ),
    broken(
      "a statement logged twice, with one more signature",
      "L-15",
      5,
      claims()
        .log(released)
        .epoch()
        .log(release([`${widget}@1.0.0`], [alice, bob, carol]))
        .epoch(),
    ),
    broken("a stranger among the signers", "S-4", 3, after(release([`${widget}@1.0.0`], [alice, mallory]))),
    broken(
      "a statement for another log",
      "S-8",
      3,
      after(claim({ [gadget]: [] }, [alice], { logs: ["log.example/other"] })),
    ),
    broken("a list of earlier versions shorter than the claim says", "S-15", 1, withList(2, LIST)),
    broken(
      "a claim without possession of every key",
      "S-16",
      3,
      after(claim({ [gadget]: [] }, [alice, bob], { signers: [alice] })),
    ),
    broken("a release below the threshold", "S-22", 3, after(release([`${widget}@1.0.0`], [alice]))),
    broken("a release of what nobody claimed", "S-22", 3, after(release([`${gadget}@1.0.0`], [alice, bob]))),
    broken(
      "a version released twice over other bytes",
      "S-23",
      5,
      claims()
        .log(released)
        .epoch()
        .log(release([`${widget}@1.0.0`], [alice, bob], { bytes: "other" }))
        .epoch(),
    ),
    broken("a second claim of one without a proof", "A-3", 3, after(claim({ [widget]: [] }, [mallory]))),
    told("a leaf more than ten minutes ahead", claims(), { broken: "M-6", leaf: 0 }, START - 601),

    told("a last leaf that is older than ten minutes", claims(), { unchecked: "M-7" }, START + 601),
    told("an envelope that is not served", after(released, { served: null }), { unchecked: "M-8" }),
    told("an envelope with other bytes", after(released, { served: "{}" }), { unchecked: "M-8" }),
    told(
      "a list of earlier versions that is not served",
      start()
        .log(claim({ [widget]: OLD }, [alice]))
        .epoch(),
      { unchecked: "M-8" },
    ),
    told("a list of earlier versions with another line", withList(1, LIST.replace("0.9.0", "0.9.1")), {
      unchecked: "M-8",
    }),
    told("a leaf that is not of the checkpoint", tampered(after(released)), { unchecked: "M-3" }),
  ];
}

function begin(): Builder {
  const map = createPackageMap();
  let draft = map.draft();
  const leaves: Uint8Array[] = [];
  const envelopes: Record<string, string> = {};
  const earlier: Record<string, string> = {};
  let time = START;
  let previousEpoch: number | null = null;
  const builder: Builder = {
    log: (envelope, { entries: change = (made: Uint8Array[]) => made, unmapped = false, served, ...forge } = {}) => {
      const { statement } = verifyEnvelope(nodeCrypto, envelope);
      const envelopeHash = nodeCrypto.sha256(envelope);
      const kind: EntryKind = forge.kind ?? statement.kind;
      const made = statementChains(statement).map((packageId, i) => {
        const packageHash = packageIdHash(nodeCrypto, packageId);
        const head = draft.get(packageHash);
        const index = leaves.length + i;
        const authority = head?.lastAuthority ?? null;
        if (!unmapped)
          draft.set({ packageHash, last: index, lastAuthority: isAuthorityKind(kind) ? index : authority });
        return encodeEntry({
          kind,
          time,
          packageHash,
          envelopeHash,
          previous: head?.last ?? null,
          previousAuthority: authority,
          ...forge,
        });
      });
      leaves.push(...change(made));
      if (served !== null) envelopes[hex(envelopeHash)] = served ?? Buffer.from(envelope).toString();
      return builder;
    },
    epoch: (forge = {}) => {
      const epoch = {
        kind: "epoch",
        time,
        mapRoot: draft.root(),
        covers: leaves.length,
        previousEpoch,
        ...forge,
      } as const;
      draft.commit();
      draft = map.draft();
      previousEpoch = leaves.length;
      leaves.push(encodeEpoch(epoch));
      return builder;
    },
    leaf: (bytes) => (leaves.push(bytes), builder),
    list: (root, text) => ((earlier[hex(root)] = text), builder),
    tick: (seconds) => ((time += seconds), builder),
    served: () => ({
      key: encodeVerifierKey(signer.key),
      checkpoint: signCheckpoint(
        { origin: signer.key.name, size: leaves.length, root: naiveRoot(leaves.map(naiveLeaf)) },
        signer,
      ),
      leaves: leaves.map(hex),
      envelopes,
      earlier,
    }),
  };
  return builder;
}

/** Another release's entry in the place of the one that the checkpoint has. */
function tampered(log: Builder): Builder {
  const served = log.served();
  const leaves = served.leaves.map((leaf, i) =>
    i === 3 ? hex(encodeEntry({ ...parseEntry(Buffer.from(leaf, "hex")), time: START + 1 })) : leaf,
  );
  return { ...log, served: () => ({ ...served, leaves }) };
}

function edited(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[at] = value;
  return copy;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

if (import.meta.main) {
  const lines = makeAuditCases().map((one) => JSON.stringify(one));
  writeFileSync(new URL("logs.json", AUDIT_VECTORS), `[\n${lines.join(",\n")}\n]\n`);
}
