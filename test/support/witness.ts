import { COSIGNATURE_ED25519, type Cosigner, cosigner, encodeVerifierKey, type VerifierKey } from "@touchmark/log";
import { createWitness, createWitnessStore, startWitnessServer } from "@touchmark/log-server";

export interface OpenWitness {
  readonly cosigner: Cosigner;
  /** Its line for a policy. */
  readonly line: string;
  close(): Promise<void>;
}

/** Starts a real witness of a log in a new folder. The key is made of the name. */
export async function openWitness(directory: string, name: string, log: VerifierKey): Promise<OpenWitness> {
  const key = cosigner(name, Buffer.alloc(32, name), COSIGNATURE_ED25519);
  const store = createWitnessStore(directory);
  const clock = (): number => Math.floor(Date.now() / 1000);
  const server = await startWitnessServer({ witness: createWitness({ store, cosigners: [key], logs: [log], clock }) });
  return {
    cosigner: key,
    line: `witness ${name} ${encodeVerifierKey(key.key)} http://127.0.0.1:${server.port}/`,
    close: async () => {
      await server.close();
      store.close();
    },
  };
}
