import { cleanText } from "@touchmark/core";
import type { Policy } from "@touchmark/verify";
import { CliError } from "../error.ts";

/** The registry whose packages are meant: the policy's only one, or the one named. Throws `REGISTRY_UNKNOWN`. */
export function chooseRegistry(policy: Policy, named: string | undefined): string {
  const names = [...policy.registries.keys()];
  if (named === undefined && names.length === 1) return names[0]!;
  if (named !== undefined && names.includes(named)) return named;
  throw new CliError(
    "REGISTRY_UNKNOWN",
    named === undefined
      ? "The policy names several registries."
      : `The policy knows no registry "${cleanText(named)}".`,
    `Choose with --registry: ${names.join(", ")}.`,
  );
}
