import { usageError } from "../command.ts";

/** The authority digest of `--charter` [L-41]. Throws `USAGE`. */
export function readCharter(digest: string | undefined, command: string): string | undefined {
  if (digest === undefined || /^sha256:[0-9a-f]{64}$/.test(digest)) return digest;
  throw usageError(command, "--charter is not an authority's digest: sha256: and 64 hex digits.");
}
