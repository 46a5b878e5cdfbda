import { resolve } from "node:path";
import { type AttestationRoots, checkMetadata, type Metadata, readRoots } from "@touchmark/fido";
import { usageError } from "../command.ts";
import { readWhole } from "../files/read-file.ts";
import type { Io } from "../io.ts";

export const TRUST_FLAGS = {
  roots: { value: "FILE", help: "certificates, or a folder of such, of the makers whom you believe" },
  metadata: {
    value: "FILE",
    help: "the FIDO Alliance's metadata file: its models' makers are believed, with --metadata-root",
  },
  "metadata-root": { value: "FILE", help: "the root certificate of whoever signs the metadata file" },
} as const;

export interface Trust {
  roots: AttestationRoots | undefined;
  metadata: Metadata | undefined;
  /** Seconds since 1970. */
  time: number;
}

const MAX_METADATA = 32 * 1024 * 1024;

/** Whom the user believes to vouch for makers of keys: nobody, unless the flags say so. Throws `USAGE`, `BAD_ROOTS` and what the system throws. */
export async function readTrust(
  command: string,
  values: { readonly [K in keyof typeof TRUST_FLAGS]: string | undefined },
  io: Io,
): Promise<Trust> {
  const { roots, metadata, "metadata-root": signer } = values;
  if ((metadata === undefined) !== (signer === undefined))
    throw usageError(command, "--metadata and --metadata-root go together.");
  const time = io.now();
  return {
    roots: roots === undefined ? undefined : await readRoots(resolve(io.cwd, roots)),
    metadata:
      metadata === undefined || signer === undefined
        ? undefined
        : checkMetadata({
            blob: readWhole(resolve(io.cwd, metadata), MAX_METADATA),
            signers: await readRoots(resolve(io.cwd, signer)),
            time,
          }),
    time,
  };
}
