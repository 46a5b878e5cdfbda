import type { AuditorOptions } from "@touchmark/log-server";
import { usageError } from "../command.ts";
import type { Io } from "../io.ts";
import { proofChecker, readRegistries } from "../registry/claim-proof.ts";

/** An auditor's flags for what the rules need from outside of the log [M-16], [L-41]. */
export const AUDIT_FLAGS = {
  registry: { value: "NAME=URL", many: true, help: "a registry that proofs of first claims are looked up in" },
  charter: {
    value: "DIGEST",
    help: "the authority (sha256:…) that may claim the log's own id; any may when left out",
  },
} as const;

/** What `--registry` and `--charter` say, to a log and to its auditors alike. Throws `USAGE`. */
export function readOutsideChecks(
  values: { readonly registry: readonly string[]; readonly charter: string | undefined },
  command: string,
  io: Io,
): Pick<AuditorOptions, "proofs" | "charter"> {
  const { registry, charter } = values;
  if (charter !== undefined && !/^sha256:[0-9a-f]{64}$/.test(charter))
    throw usageError(command, "--charter is not an authority's digest: sha256: and 64 hex digits.");
  return { proofs: proofChecker(readRegistries(registry, command), io) ?? undefined, charter };
}
