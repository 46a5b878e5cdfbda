/** A log that is killed again and again under load, and looked at after each start: what kill -9 at any instant may do to it [L-16] [L-17] [L-30]. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import {
  fetchCheckpoint,
  fetchConsistency,
  type LogEndpoint,
  LogError,
  parseCheckpoint,
  type SignedCheckpoint,
  submitEnvelope,
} from "@touchmark/log";
import { checkStore, createStore, openStorage, type StorageAddresses } from "../../src/index.ts";
import { closeStorage, type Storage } from "../../src/storage/storage.ts";
import { appendLeaves, EMPTY_EDGE, rootOfEdge } from "../../src/tree.ts";
import type { Step } from "./kill-step.ts";
import { signer, START } from "./log.ts";
import { claim, person, release } from "./statements.ts";

const CLIENTS = 8;
const PACKAGES = Array.from({ length: 40 }, (_, i) => `npm:npmjs/p${i}`);
const alice = person("alice");

/** A log that is killed. */
export type Victim = {
  /** What is run and killed; see `bundleScript`. */
  readonly script: string;
  readonly addresses: StorageAddresses;
  /** A file for what is signed. */
  readonly signed: string;
};

export type TortureOptions = Victim & {
  readonly kills: number;
  /** Gives numbers in [0, 1). */
  readonly random: () => number;
  readonly onKill?: (done: number) => void;
};

export type TortureReport = { readonly acknowledged: number; readonly signatures: number; readonly size: number };

export type Acknowledged = { readonly envelope: Uint8Array; readonly entries: ReadonlyMap<string, number> };

/** Throws an error that says what was lost or forked. */
export async function torture(options: TortureOptions): Promise<TortureReport> {
  const { kills, random } = options;
  const life = await beginLife(options, random);

  for (let round = 0; round < kills; round++) {
    const server = startChild(options, round);
    // One in four is killed while it starts.
    if (random() < 0.25) {
      await setTimeout(random() * 600);
    } else {
      const log = await server.ready;
      await life.lookAt(log);
      const load = life.load(log, `${round}`);
      await someAnswers(life.acknowledged, random() * 20);
      await setTimeout(random() * 50);
      await server.kill();
      await load;
    }
    await server.kill();
    options.onKill?.(round + 1);
  }

  const last = startChild(options, kills);
  await life.lookAt(await last.ready);
  await last.kill();
  return life.end();
}

/** What is known of a log over all its deaths. */
export type Life = {
  readonly acknowledged: readonly Acknowledged[];
  /** Throws if anything that was answered is gone, or is another now. Claims the packages at the first look. */
  readonly lookAt: (log: LogEndpoint) => Promise<void>;
  /** Clients that submit as fast as they can until the server is gone. `name` is another one each time. */
  readonly load: (log: LogEndpoint, name: string, clients?: number) => Promise<void>;
  /** Looks at all of the storage, once nobody has it open. */
  readonly end: () => Promise<TortureReport>;
};

/** Makes the log. */
export async function beginLife({ addresses, signed }: Victim, random: () => number): Promise<Life> {
  await (await createStore(await openStorage(addresses, true), signer, START)).close();
  const envelope = claim(Object.fromEntries(PACKAGES.map((name) => [name, []])), [alice]);
  const acknowledged: Acknowledged[] = [];
  let newest: SignedCheckpoint | undefined;
  return {
    acknowledged,
    lookAt: async (log) => {
      await submitEnvelope(log, { envelope }); // once there it is known [L-15]
      const now = await fetchCheckpoint(log);
      if (newest !== undefined) await fetchConsistency(log, newest, now);
      const some = acknowledged.slice(-3).concat(acknowledged.length > 3 ? [pick(acknowledged, random)] : []);
      for (const { envelope: sent, entries } of some) {
        const again = await submitEnvelope(log, { envelope: sent });
        requireSame(entries, again.entries);
      }
      newest = now;
    },
    load: (log, name, clients = CLIENTS) =>
      submitUntilGone(log, name, clients, acknowledged, (seen) => {
        if (newest === undefined || seen.size > newest.size) newest = seen;
      }),
    end: async () => {
      const storage = await openStorage(addresses, false);
      const lines = readFileSync(signed, "utf8").trimEnd().split("\n");
      const texts = lines.map((line) => JSON.parse(line) as string);
      const signatures = await requireOneHistory(storage, texts);
      await requireAll(storage, acknowledged);
      await closeStorage(storage);
      const { size, problems } = await checkStore(await openStorage(addresses, false), signer.key);
      if (problems.length > 0) throw new Error(`The log is damaged: ${problems.join(" ")}`);
      return { acknowledged: acknowledged.length, signatures, size };
    },
  };
}

/** Waits for so many answers, or two seconds. */
async function someAnswers(acknowledged: readonly Acknowledged[], count: number): Promise<void> {
  const wanted = acknowledged.length + count;
  for (let i = 0; i < 200 && acknowledged.length < wanted; i++) await setTimeout(10);
}

export type Child = {
  readonly ready: Promise<LogEndpoint>;
  readonly kill: () => Promise<void>;
  /** Has it kill itself at a step from now on. */
  readonly arm: (step: Step) => void;
  /** The signal that ended it. */
  readonly ended: Promise<string | null>;
};

/** Starts it for the `round`th time; `step`: where it kills itself. */
export function startChild({ script, addresses, signed }: Victim, round: number, step?: Step): Child {
  const args = [script, JSON.stringify(addresses), String(START + round), signed];
  if (step !== undefined) args.push(JSON.stringify(step));
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe", "ipc"] });
  const ended = once(child, "exit");
  let complaints = "";
  child.stderr?.on("data", (text: Buffer) => (complaints += String(text)));
  const ready = Promise.race([
    once(child.stdout!, "data").then(([line]): LogEndpoint => ({
      url: `http://127.0.0.1:${Number(String(line))}/`,
      key: signer.key,
      fetch,
      timeout: 20_000,
    })),
    ended.then(() => {
      throw new Error(`The log did not start: ${complaints}`);
    }),
  ]);
  ready.catch(() => undefined); // one that is killed while it starts is asked by nobody
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await ended;
  };
  return {
    ready,
    kill,
    arm: (wanted) => void child.send(wanted),
    ended: ended.then(([, signal]) => signal as string | null),
  };
}

async function submitUntilGone(
  log: LogEndpoint,
  round: string,
  clients: number,
  acknowledged: Acknowledged[],
  onCheckpoint: (checkpoint: SignedCheckpoint) => void,
): Promise<void> {
  const client = async (number: number): Promise<void> => {
    for (let i = 0; ; i++) {
      const names = [
        PACKAGES[(number * 3 + i) % PACKAGES.length]!,
        PACKAGES[(number * 7 + i * 5 + 1) % PACKAGES.length]!,
      ];
      const envelope = release(
        [...new Set(names)].map((name) => `${name}@${round}.${number}.${i}`),
        [alice],
      );
      try {
        const { entries, checkpoint } = await submitEnvelope(log, { envelope });
        acknowledged.push({ envelope, entries });
        onCheckpoint(checkpoint);
      } catch (error) {
        if (error instanceof LogError && error.code === "NETWORK") return;
        // [L-22] 503 is not now: its S3 storage was too slow, on a busy machine.
        if (!(error instanceof LogError) || error.refusal?.status !== 503) throw error;
        await setTimeout(50);
      }
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, number) => client(number)));
}

/** Every tree of which a text was ever signed is the beginning of the one that there is now. Gives the number of trees. */
export async function requireOneHistory({ ledger }: Storage, texts: readonly string[]): Promise<number> {
  const roots = new Map<number, string>();
  for (const text of texts) {
    const { size, root } = parseCheckpoint(text);
    const hex = Buffer.from(root).toString("hex");
    if ((roots.get(size) ?? hex) !== hex) throw new Error(`Two trees of ${size} leaves were signed.`);
    roots.set(size, hex);
  }
  let edge = EMPTY_EDGE;
  for (const [size, root] of [...roots].toSorted(([a], [b]) => a - b)) {
    const leaves = await ledger.leaves(edge.size, size);
    edge = appendLeaves(edge, leaves).edge;
    if (edge.size !== size || Buffer.from(rootOfEdge(edge)).toString("hex") !== root)
      throw new Error(`A tree of ${size} leaves was signed that is not the beginning of this log.`);
  }
  return roots.size;
}

/** Nothing that was acknowledged is gone, or was given to two. */
export async function requireAll({ ledger }: Storage, acknowledged: readonly Acknowledged[]): Promise<void> {
  const taken = new Set<number>();
  for (const index of acknowledged.flatMap(({ entries }) => [...entries.values()])) {
    if (taken.has(index)) throw new Error(`Entry ${index} was given to two statements.`);
    taken.add(index);
  }
  const found = await ledger.leavesAt([...taken]);
  if (found.size !== taken.size) throw new Error(`${taken.size - found.size} acknowledged entries are lost.`);
}

function requireSame(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): void {
  for (const [name, index] of before) {
    if (after.get(name) !== index) throw new Error(`${name} was at ${index}, and is now at ${after.get(name)}.`);
  }
}

function pick<T>(items: readonly T[], random: () => number): T {
  return items[Math.floor(random() * items.length)]!;
}

/** Numbers in [0, 1) that are the same for the same seed. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
