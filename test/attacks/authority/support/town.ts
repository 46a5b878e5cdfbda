import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  type AuthorityDraft,
  DAY,
  encodeClaim,
  encodeEnvelope,
  NO_EARLIER,
  packageIdHash,
  parseEnvelope,
  parseStatement,
  type Power,
  statementChains,
} from "@touchmark/core";
import {
  encodeVerifierKey,
  isAuthorityKind,
  leafHash,
  noteSigner,
  nodeCrypto,
  parseEntry,
  parseEvidence,
} from "@touchmark/log";
import { createStore, openFolder, openStore, startLogServer } from "@touchmark/log-server";
import { splitWords } from "../../../../packages/cli/test/support/script.ts";
import { type Registry, startRegistry } from "../../../../packages/cli/test/support/registry.ts";
import { proofChecker } from "../../../../packages/cli/src/registry/claim-proof.ts";
import { type Consumer, createConsumer, type ConsumerWish } from "../../../support/consumer.ts";
import { type Packed, packRelease, tarballFile, tarballUrl } from "../../../support/packed.ts";
import type { LogEndpointText } from "../../../support/log.ts";
import { type Outcome, type Place, runTouchmark } from "../../../support/touchmark.ts";

// A town for attacks on authority: people with software keys, a registry that knows its packages' authorities, and a log with a charter.
// All of it is real and speaks over HTTP; only the clock is turned by hand, and everybody goes by the same one.

export interface Town {
  readonly log: LogEndpointText;
  readonly registry: Registry;
  /** Seconds since 1970. */
  now(): number;
  /** Time goes by; the log publishes its epoch leaf as it does every hour. */
  turn(days: number): Promise<void>;
  /** Runs a command line in the people's folder; quotes keep words together. */
  touchmark(command: string): Promise<Outcome>;
  /** The same; throws if it fails. */
  make(command: string): Promise<Outcome>;
  /** What an honest command writes, signed by each of these keys by `touchmark sign`, and handed in. The command is one that takes `--out`. */
  propose(command: string, signers: string): Promise<Submitted>;
  /** Key cards as flags: `--key alice.card --key bob.card`. */
  cards(names: string, flag?: string): Promise<string>;
  /** Keys for an authority. `alice/2` is a second key of alice. */
  keys(names: string): Promise<AuthorityDraft["keys"]>;
  fingerprint(name: string): Promise<string>;
  authority(names: string, m: number, more?: AuthorityWish): Promise<AuthorityDraft>;
  /** The reference of the last authority entry of a subject. */
  last(subject: string): Promise<Uint8Array>;
  /** Writes a statement, has each of these keys sign it, hands it in. */
  submit(payload: Uint8Array, signers: string): Promise<Submitted>;
  /** The same, of what has to be admitted; the reference of its entry in its first subject's chain. */
  say(payload: Uint8Array, signers: string): Promise<Uint8Array>;
  /** Publishes as whoever has the registry account. */
  publish(name: string, version: string, manifest?: Readonly<Record<string, unknown>>): Packed;
  /** Packs and publishes a version, has these sign it by its tarball, and hands it in. */
  release(name: string, version: string, signers: string): Promise<Submitted & { packed: Packed }>;
  /** Claims a package, and proves it by a published version whose package.json carries the digest. The digest. */
  claim(name: string, holders: string, flags?: string, recoverers?: string): Promise<string>;
  /** Claims what somebody else has claimed, with a proof of its own: this version. The digest. */
  rival(name: string, holders: string, flags: string, version: string): Promise<string>;
  /** Whoever replays the log by its public files alone. */
  audit(): Promise<Outcome>;
  /** Founds a committee with these powers, all of them when left out. The digest of its authority, for a policy that recognises it. */
  founded(id: string, members: string, m: number, powers?: Power[], wish?: CommitteeWish): Promise<string>;
  /** A project that depends on these versions, with a lockfile and a policy of its own. */
  consumer(packed: readonly Packed[], wish?: ConsumerWish): Consumer;
  close(): Promise<void>;
}

export interface CommitteeWish {
  scope?: string[];
  termDays?: number;
}

/** What `touchmark submit` said, and the number of the rule that refused it; empty if none did. */
export interface Submitted extends Outcome {
  rule: string;
  /** What was handed in. */
  file: string;
}

export interface AuthorityWish extends Partial<Omit<AuthorityDraft, "keys" | "releaseThreshold" | "recovery">> {
  /** Keys that only recover, and how many of their holders it takes. */
  recovery?: readonly [names: string, threshold: number];
}

export const ORIGIN = "log.example/town";
/** The committees that the log's charter names. */
export const CARE = "committee:care";
export const JS = "committee:js";
const BEGIN = 1_795_000_000; // 2026-11-18

const ALL_POWERS: Power[] = ["adopt", "endorse", "expedite", "hold", "review"];

export const idOf = (name: string): string => `npm:npmjs/${name}`;

export async function openTown(): Promise<Town> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-town-")));
  const registry = await startRegistry();
  const people: Place = { directory: join(root, "people"), home: join(root, "people-home") };
  mkdirSync(people.directory);
  let now = BEGIN;
  let files = 0;
  let consumers = 0;
  const records = new Map<string, Promise<EnrolledRecord>>();

  const touchmark: Town["touchmark"] = (command) => runTouchmark(splitWords(command), { ...people, now: () => now });
  const make: Town["make"] = async (command) => {
    const outcome = await touchmark(command);
    if (outcome.exit !== 0) throw new Error(`touchmark ${command} ended with ${outcome.exit}: ${outcome.text}`);
    return outcome;
  };
  const enrol = async (name: string): Promise<EnrolledRecord> => {
    const device = join(people.directory, `${name.replace("/", "-")}.soft`);
    await make(`key enroll --holder ${name.split("/")[0]!} --device soft:${device}`);
    const { keys } = JSON.parse(readFileSync(join(people.home, "keys.json"), "utf8")) as { keys: EnrolledRecord[] };
    const enrolled = keys.find((key) => key.device === `soft:${device}`)!;
    await make(`key export --key ${enrolled.fingerprint} --out ${cardOf(name)}`);
    return enrolled;
  };
  // One after the other: they all write to one list of keys.
  let enrolling: Promise<unknown> = Promise.resolve();
  const record = (name: string): Promise<EnrolledRecord> => {
    const known = records.get(name) ?? enrolling.then(() => enrol(name));
    records.set(name, known);
    enrolling = known;
    return known;
  };
  const keys: Town["keys"] = async (names) => {
    const drafts: AuthorityDraft["keys"] = [];
    for (const name of wordsOf(names)) {
      const { holder, key } = await record(name);
      drafts.push({ holder, record: key });
    }
    return drafts;
  };
  const cards: Town["cards"] = async (names, flag = "key") => {
    await keys(names);
    return wordsOf(names)
      .map((name) => `--${flag} ${cardOf(name)}`)
      .join(" ");
  };
  const authority: Town["authority"] = async (names, releaseThreshold, { recovery, ...more } = {}) => ({
    keys: await keys(names),
    releaseThreshold,
    ...(recovery && { recovery: { keys: await keys(recovery[0]), threshold: recovery[1] } }),
    ...more,
  });

  const charter = encodeClaim(nodeCrypto, {
    logs: [ORIGIN],
    packages: new Map([[`log:${ORIGIN}`, { previous: null, earlier: NO_EARLIER, proof: null }]]),
    authority: await authority("op", 1),
    details: { kind: "charter", committees: [CARE, JS] },
  });
  const log = await openTurnedLog(join(root, "log"), () => now, {
    registries: new Map([["npmjs", new URL(registry.url)]]),
    charter: digestOf(charter),
  });
  const policy = { version: 1, registries: { npmjs: [registry.url] }, log: log.endpoint };
  writeFileSync(join(people.directory, "touchmark.json"), JSON.stringify(policy));

  const sign = async (file: string, signers: string): Promise<void> => {
    for (const name of wordsOf(signers)) {
      const { device, holder } = await record(name);
      await make(`sign ${file} --holder ${holder} --device ${device} --yes`);
    }
  };
  const handIn = async (file: string): Promise<Submitted> => {
    const outcome = await touchmark(`submit ${file}`);
    if (outcome.exit === 0) return { ...outcome, rule: "", file };
    // What is refused leaves no trace: it is refused again in the same way.
    const { error } = JSON.parse((await touchmark(`submit ${file} --json`)).stdout) as { error: { rule?: string } };
    return { ...outcome, rule: error.rule ?? "", file };
  };
  const submit: Town["submit"] = async (payload, signers) => {
    const file = `${++files}.touchmark`;
    writeFileSync(join(people.directory, file), encodeEnvelope({ payload, signatures: [] }));
    await sign(file, signers);
    return handIn(file);
  };
  const propose: Town["propose"] = async (command, signers) => {
    const file = `${++files}.touchmark`;
    await make(`${command} --out ${file}`);
    await sign(file, signers);
    return handIn(file);
  };
  const last: Town["last"] = async (subject) => {
    const answer = await fetch(`${log.endpoint.url}evidence`, {
      method: "POST",
      body: JSON.stringify({ packages: { [subject]: [] } }),
    });
    const hash = Buffer.from(packageIdHash(nodeCrypto, subject));
    const { entries } = parseEvidence(await answer.bytes());
    const own = [...entries.values()].filter((bytes) => {
      const entry = parseEntry(bytes);
      return isAuthorityKind(entry.kind) && hash.equals(entry.packageHash);
    });
    if (own.length === 0) throw new Error(`the log has nothing of ${subject}`);
    return leafHash(own.at(-1)!);
  };
  const say: Town["say"] = async (payload, signers) => {
    const outcome = await submit(payload, signers);
    if (outcome.exit !== 0) throw new Error(`the log refused: ${outcome.text}`);
    const [chain = ""] = statementChains(parseStatement(nodeCrypto, payload));
    return last(chain);
  };
  const publish: Town["publish"] = (name, version, manifest = {}) => {
    const packed = packRelease({ name, version, manifest });
    registry.publish({ ...packed, tarball: packed.tarball }, now);
    return packed;
  };
  const claim: Town["claim"] = async (name, holders, flags = "--threshold 2", recoverers = "") => {
    const file = `${++files}.touchmark`;
    const command = `claim ${name} ${await cards(holders)} ${flags} --no-earlier --out ${file} --json`;
    const { authority: digest } = JSON.parse((await make(command)).stdout) as { authority: string };
    await sign(file, `${holders} ${recoverers}`);
    await make(`submit ${file}`);
    publish(name, "0.0.1", { touchmark: { authority: digest } });
    await make(`claim prove ${name} --version 0.0.1 --holder ${holders.split(" ")[0]!} --yes`);
    return digest;
  };
  const rival: Town["rival"] = async (name, holders, flags, version) => {
    const command = `claim ${name} ${await cards(holders)} ${flags}`;
    const { stdout } = await make(`${command} --no-earlier --out ${++files}.touchmark --json`);
    const { authority: digest } = JSON.parse(stdout) as { authority: string };
    publish(name, version, { touchmark: { authority: digest } });
    const { exit, text } = await propose(`${command} --proof ${version}`, holders);
    if (exit !== 0) throw new Error(`the rival claim was refused: ${text}`);
    return digest;
  };
  const founded: Town["founded"] = async (id, members, m, powers = ALL_POWERS, wish = {}) => {
    const { scope = ["*"], termDays = 1096 } = wish;
    const flags = [
      await cards(members),
      ...powers.map((power) => `--power ${power}`),
      ...scope.map((pattern) => `--scope ${pattern}`),
    ];
    const file = `${++files}.touchmark`;
    await make(`committee create ${id} ${flags.join(" ")} --threshold ${m} --term-days ${termDays} --out ${file}`);
    await sign(file, members);
    await make(`submit ${file}`);
    return digestOf(parseEnvelope(readFileSync(join(people.directory, file))).payload);
  };

  await say(charter, "op");
  return {
    founded,
    log: log.endpoint,
    registry,
    now: () => now,
    turn: async (days) => {
      now += Math.round(days * DAY);
      await log.restart();
    },
    touchmark,
    make,
    propose,
    cards,
    keys,
    fingerprint: async (name) => (await record(name)).fingerprint,
    authority,
    last,
    submit,
    say,
    publish,
    claim,
    rival,
    audit: () => touchmark(`log audit check --registry npmjs=${registry.url} --charter ${digestOf(charter)}`),
    release: async (name, version, signers) => {
      const packed = publish(name, version);
      const file = tarballFile(packed);
      writeFileSync(join(people.directory, file), packed.tarball);
      await sign(file, signers);
      return { ...(await handIn(`${file}.touchmark`)), packed };
    },
    consumer: (packed, wish = {}) => {
      const consumer = createConsumer(
        join(root, `consumer-${++consumers}`),
        { registry: registry.url, log: log.endpoint },
        wish,
      );
      writeLockfile(consumer, registry.url, packed);
      return {
        ...consumer,
        touchmark: (command, more) => consumer.touchmark(command, { now: () => now, ...more }),
      };
    },
    close: async () => {
      await Promise.all([registry.close(), log.close()]);
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** The digest of the authority that a claim states. */
export function digestOf(payload: Uint8Array): string {
  const statement = parseStatement(nodeCrypto, payload);
  if (statement.kind !== "claim") throw new Error("only claims are asked for");
  return statement.authority.digest;
}

/** Hex of an SRI's digest. */
export function hexOf(integrity: string): string {
  return Buffer.from(integrity.slice("sha512-".length), "base64").toString("hex");
}

interface EnrolledRecord {
  holder: string;
  key: string;
  fingerprint: string;
  device: string;
}

function cardOf(name: string): string {
  return `${name.replace("/", "-")}.card`;
}

function wordsOf(names: string): string[] {
  return names.split(" ").filter((name) => name !== "");
}

function writeLockfile(consumer: Consumer, registry: string, packed: readonly Packed[]): void {
  const dependencies = Object.fromEntries(packed.map(({ name, version }) => [name, version]));
  const entries = packed.map((one) => {
    const { name, version, integrity } = one;
    return [`node_modules/${name}`, { version, resolved: tarballUrl(registry, one), integrity }];
  });
  const root = { name: "tavern", version: "1.0.0", dependencies };
  consumer.write("package.json", { ...root, private: true });
  consumer.write("package-lock.json", {
    name: "tavern",
    version: "1.0.0",
    lockfileVersion: 3,
    requires: true,
    packages: { "": root, ...Object.fromEntries(entries) },
  });
}

interface TurnedLog {
  readonly endpoint: LogEndpointText;
  /** The same log again, from what it has stored, at the same address; at its start it publishes what an hour without entries makes it publish. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

async function openTurnedLog(
  directory: string,
  clock: () => number,
  { registries, charter }: { registries: Map<string, URL>; charter: string },
): Promise<TurnedLog> {
  mkdirSync(dirname(directory), { recursive: true });
  const signer = noteSigner(ORIGIN, new Uint8Array(32).fill(ORIGIN.length));
  const proofs = proofChecker(registries, { fetch, signal: new AbortController().signal }) ?? undefined;
  const start = async (isNew: boolean, port: number): ReturnType<typeof startLogServer> => {
    const storage = await openFolder(directory, isNew);
    const store = await (isNew ? createStore(storage, signer, clock()) : openStore(storage, signer));
    return startLogServer({ store, clock, charter, proofs, port });
  };
  let server = await start(true, 0);
  return {
    endpoint: { url: `http://127.0.0.1:${server.port}/`, origin: ORIGIN, key: encodeVerifierKey(signer.key) },
    restart: async () => {
      await server.close();
      server = await start(false, server.port);
    },
    close: () => server.close(),
  };
}
