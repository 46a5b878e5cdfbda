/** A log that has its checkpoints cosigned by the witnesses of a policy. */
import {
  encodeVerifierKey,
  fetchCheckpoint,
  type LogEndpoint,
  parseNote,
  parseTlogPolicy,
  type SignedCheckpoint,
  submitEnvelope,
  type SubmitAnswer,
  type VerifierKey,
  verifyCosignatures,
} from "@touchmark/log";
import {
  createCosigning,
  createStore,
  type CosigningOptions,
  type LogServerOptions,
  openFolder,
  openStore,
  startLogServer,
} from "../../src/index.ts";
import { signer, START, temporaryFolder } from "./log.ts";
import type { RunningWitness } from "./witness.ts";

export type CosignedLog = {
  readonly dir: string;
  readonly log: LogEndpoint;
  readonly clock: { now: number };
  readonly trouble: string[];
  readonly submit: (envelope: Uint8Array) => Promise<SubmitAnswer>;
  readonly checkpoint: () => Promise<SignedCheckpoint>;
  /** Stops the server and opens the same folder again. */
  readonly restart: () => Promise<CosignedLog>;
  readonly stop: () => Promise<void>;
  readonly end: () => Promise<void>;
};

export type CosignedLogOptions = { server?: Partial<LogServerOptions>; cosigning?: Partial<CosigningOptions> };

/** A policy of these witnesses, of whom `threshold` have to cosign. */
export function policyText(threshold: number, witnesses: readonly { url: string; key: VerifierKey }[]): string {
  const lines = witnesses.map(({ url, key }, i) => `witness W${i} ${encodeVerifierKey(key)} ${url}\n`);
  const names = witnesses.map((_, i) => `W${i}`);
  return `${lines.join("")}group g ${threshold} ${names.join(" ")}\nquorum g\n`;
}

/** As {@link policyText}, by the witnesses' Ed25519 keys. */
export function policyOf(threshold: number, witnesses: readonly RunningWitness[]): string {
  return policyText(
    threshold,
    witnesses.map(({ url, keys }) => ({ url, key: keys[0].key })),
  );
}

export async function runCosignedLog(policy: string, options: CosignedLogOptions = {}): Promise<CosignedLog> {
  const { dir, remove } = temporaryFolder();
  await (await createStore(await openFolder(dir, true), signer, START)).close();
  return serveFolder(dir, { now: START }, policy, options, remove);
}

/** Serves a folder that holds a log already, as a copy of another one. */
export async function serveFolder(
  dir: string,
  clock: { now: number },
  policy: string,
  options: CosignedLogOptions = {},
  remove: () => void = () => undefined,
): Promise<CosignedLog> {
  const store = await openStore(await openFolder(dir), signer);
  const trouble: string[] = [];
  const cosigning = createCosigning({
    policy: parseTlogPolicy(Buffer.from(policy)),
    published: store.checkpoint().size,
    clock: () => clock.now,
    onTrouble: (message) => void trouble.push(message),
    patience: 1500,
    timeout: 2000,
    ...options.cosigning,
  });
  const server = await startLogServer({ store, cosigning, clock: () => clock.now, tick: 50, ...options.server });
  const log: LogEndpoint = { url: `http://127.0.0.1:${server.port}/`, key: signer.key, fetch };
  return {
    dir,
    log,
    clock,
    trouble,
    submit: (envelope) => submitEnvelope(log, { envelope }),
    checkpoint: () => fetchCheckpoint(log),
    restart: async () => {
      await server.close();
      return serveFolder(dir, clock, policy, options, remove);
    },
    stop: () => server.close(),
    end: async () => {
      await server.close();
      remove();
    },
  };
}

/** Names of the witnesses that cosigned this note, with the times. */
export function cosignersOf(note: string, witnesses: readonly RunningWitness[]): [string, number][] {
  const keys = witnesses.flatMap((witness) => witness.keys.map(({ key }) => key));
  const { cosignatures } = verifyCosignatures(parseNote(Buffer.from(note)), keys);
  return cosignatures.map(({ key, time }) => [key.name, time]);
}
