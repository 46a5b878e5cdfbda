import { COSIGNATURE_ED25519, COSIGNATURE_ML_DSA_44, type Cosigner } from "@touchmark/log";
import type { WitnessStore } from "@touchmark/log-server";
import { usageError } from "../command.ts";
import { CliError } from "../error.ts";
import { makeCosigners, readCosigners } from "./cosigner-key.ts";
import type { LogServerModule } from "./server-module.ts";

export interface OpenCosigners {
  readonly cosigners: Cosigner[];
  readonly store: WitnessStore;
}

/**
 * Opens the keys and the memory of a witness or auditor (`what`) in a folder, or makes them where there are no keys. Keys without the memory that belongs
 * to them are refused: what they have cosigned is not known any more. Throws `USAGE`, `LOG_KEY_BAD` and what opening throws.
 */
export async function openCosigners(
  { createWitnessStore, openWitnessStore, LogServerError }: LogServerModule,
  directory: string,
  name: string | undefined,
  { what, command }: { what: "witness" | "auditor"; command: string },
): Promise<OpenCosigners> {
  const openMemory = (orElse: (cause: Error) => WitnessStore): WitnessStore => {
    try {
      return openWitnessStore(directory);
    } catch (error) {
      if (error instanceof LogServerError && error.code === "STORE_MISSING") return orElse(error);
      throw error;
    }
  };
  const cosigners = readCosigners(directory);
  if (cosigners !== null) {
    const known = cosigners[0]!.key.name;
    if (name !== undefined && name !== known)
      throw new CliError(
        "LOG_KEY_BAD",
        `The ${what} in this folder is ${known}, not ${name}.`,
        "Choose another --dir.",
      );
    return {
      cosigners,
      store: openMemory((cause) => {
        const hint = "Begin anew in another folder, with new keys and another name.";
        throw new CliError("LOG_KEY_BAD", `The ${what}'s keys are there, but what it remembers is gone.`, hint, cause);
      }),
    };
  }
  if (name === undefined) throw usageError(command, `--name is missing, and there is no ${what} yet.`);
  // The memory first: keys whose making was cut short would else be without one.
  const store = openMemory(() => createWitnessStore(directory));
  try {
    return { cosigners: await makeCosigners(directory, name, [COSIGNATURE_ED25519, COSIGNATURE_ML_DSA_44]), store };
  } catch (error) {
    store.close();
    throw error;
  }
}
