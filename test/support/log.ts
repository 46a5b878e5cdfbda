import { encodeVerifierKey, noteSigner, type NoteSigner, parseTlogPolicy } from "@touchmark/log";
import {
  type Cosigning,
  createCosigning,
  createStore,
  openFolder,
  startLogServer,
  type Store,
} from "@touchmark/log-server";

/** What a policy says of a log. */
export interface LogEndpointText {
  readonly url: string;
  readonly origin: string;
  readonly key: string;
  /** The lines of a policy of witnesses. */
  readonly quorum?: readonly string[];
}

export interface OpenLog {
  readonly endpoint: LogEndpointText;
  close(): Promise<void>;
}

/**
 * Starts a real log in a new folder. The key is made of the origin: a second log of that origin is what an operator would run
 * who wants to show two histories. With the lines of a policy of witnesses it publishes nothing
 * that they have not cosigned. `age`: how many seconds ago it began.
 */
export async function openLog(
  directory: string,
  origin: string,
  { quorum, age = 0 }: { quorum?: readonly string[]; age?: number } = {},
): Promise<OpenLog> {
  const signer = logSigner(origin);
  const clock = (): number => Math.floor(Date.now() / 1000);
  const store = await createStore(await openFolder(directory, true), signer, clock() - age);
  const cosigning = quorum && cosigningBy(quorum, store, clock);
  const server = await startLogServer({ store, clock, ...(cosigning && { cosigning }) });
  const key = encodeVerifierKey(signer.key);
  const endpoint = { url: `http://127.0.0.1:${server.port}/`, origin, key, ...(quorum && { quorum }) };
  return { endpoint, close: () => server.close() };
}

export function logSigner(origin: string): NoteSigner {
  return noteSigner(origin, new Uint8Array(32).fill(origin.length));
}

function cosigningBy(quorum: readonly string[], store: Store, clock: () => number): Cosigning {
  const policy = parseTlogPolicy(Buffer.from(`${quorum.join("\n")}\n`));
  return createCosigning({ policy, published: store.checkpoint().size, clock });
}
