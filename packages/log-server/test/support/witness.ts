/** A witness in a temporary folder behind HTTP, and a tree to show it. */
import {
  COSIGNATURE_ED25519,
  COSIGNATURE_ML_DSA_44,
  consistencyProof,
  type Cosigner,
  cosigner,
  type Digest,
  digestToBytes,
  encodeAddCheckpoint,
  leafDigest,
  type NoteSigner,
  noteSigner,
  rootOfDigests,
  signCheckpoint,
  type WitnessEndpoint,
  askByFetch,
} from "@touchmark/log";
import {
  createWitness,
  createWitnessStore,
  openWitnessStore,
  startWitnessServer,
  type WitnessOptions,
} from "../../src/index.ts";
import { temporaryFolder } from "./log.ts";
import { ORIGIN } from "./statements.ts";

export function witnessKeys(name: string): [ed25519: Cosigner, mlDsa: Cosigner] {
  const seed = Buffer.alloc(32, name);
  return [cosigner(name, seed, COSIGNATURE_ED25519), cosigner(name, seed, COSIGNATURE_ML_DSA_44)];
}

export type RunningWitness = {
  readonly dir: string;
  readonly url: string;
  readonly keys: [ed25519: Cosigner, mlDsa: Cosigner];
  /** Seconds; may be set. */
  readonly clock: { now: number };
  readonly trouble: string[];
  readonly post: (body: string) => Promise<Response>;
  readonly endpoint: (key?: Cosigner) => WitnessEndpoint;
  /** Stops the server and opens the same folder again on the same port. */
  readonly restart: () => Promise<RunningWitness>;
  readonly stop: () => Promise<void>;
  readonly end: () => Promise<void>;
};

export async function runWitness(
  name: string,
  options: Pick<WitnessOptions, "logs"> & Partial<WitnessOptions>,
  now = 1_800_000_000,
): Promise<RunningWitness> {
  const { dir, remove } = temporaryFolder();
  createWitnessStore(dir).close();
  return serveWitness({ dir, remove, name, options, clock: { now }, port: 0 });
}

type Setting = {
  dir: string;
  remove: () => void;
  name: string;
  options: Pick<WitnessOptions, "logs"> & Partial<WitnessOptions>;
  clock: { now: number };
  port: number;
};

async function serveWitness(setting: Setting): Promise<RunningWitness> {
  const { dir, remove, name, options, clock } = setting;
  const store = openWitnessStore(dir);
  const keys = witnessKeys(name);
  const trouble: string[] = [];
  const onTrouble = (message: string): void => void trouble.push(message);
  const witness = createWitness({ store, cosigners: keys, clock: () => clock.now, onTrouble, ...options });
  const server = await startWitnessServer({ witness, port: setting.port });
  const url = `http://127.0.0.1:${server.port}`;
  const stop = async (): Promise<void> => {
    await server.close();
    store.close();
  };
  return {
    dir,
    url,
    keys,
    clock,
    trouble,
    post: (body) => fetch(`${url}/add-checkpoint`, { method: "POST", body }),
    endpoint: (key = keys[0]) => ({ url: `${url}/`, key: key.key, ask: askByFetch(fetch) }),
    restart: async () => {
      await stop();
      return serveWitness({ ...setting, port: server.port });
    },
    stop,
    end: async () => {
      await stop();
      remove();
    },
  };
}

/** A tree whose leaves are `branch` and their index from `forkAt` on, and their index alone before it. */
export type ShownTree = {
  readonly note: (size: number) => string;
  readonly request: (oldSize: number, size: number) => string;
};

export function showTree(options: { branch?: string; forkAt?: number; signer?: NoteSigner } = {}): ShownTree {
  const { branch = "", forkAt = 0, signer = noteSigner(ORIGIN, new Uint8Array(32).fill(1)) } = options;
  const digests: Digest[] = Array.from({ length: 300 }, (_, i) =>
    leafDigest(Buffer.from(`${i >= forkAt ? branch : ""}${i}`)),
  );
  const note = (size: number): string => {
    const root = digestToBytes(rootOfDigests(digests.slice(0, size)));
    return signCheckpoint({ origin: signer.key.name, size, root }, signer);
  };
  const request = (oldSize: number, size: number): string => {
    const digestOf = ({ start, end }: { start: number; end: number }): Digest =>
      rootOfDigests(digests.slice(start, end));
    const proof = oldSize === 0 || oldSize > size ? [] : consistencyProof(oldSize, size, digestOf);
    return encodeAddCheckpoint({ oldSize, proof, note: note(size) });
  };
  return { note, request };
}
