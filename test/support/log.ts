import { encodeVerifierKey, noteSigner } from "@touchmark/log";
import { createStore, openFolder, startLogServer } from "@touchmark/log-server";

/** What a policy says of a log. */
export interface LogEndpointText {
  readonly url: string;
  readonly origin: string;
  readonly key: string;
}

export interface OpenLog {
  readonly endpoint: LogEndpointText;
  close(): Promise<void>;
}

/**
 * Starts a real log in a new folder. The key is made of the origin: a second log of that origin is what an operator would run
 * who wants to show two histories.
 */
export async function openLog(directory: string, origin: string): Promise<OpenLog> {
  const signer = noteSigner(origin, new Uint8Array(32).fill(origin.length));
  const clock = (): number => Math.floor(Date.now() / 1000);
  const store = await createStore(await openFolder(directory, true), signer, clock());
  const server = await startLogServer({ store, clock });
  const endpoint = { url: `http://127.0.0.1:${server.port}/`, origin, key: encodeVerifierKey(signer.key) };
  return { endpoint, close: () => server.close() };
}
