import { resolve } from "node:path";
import { parsePolicy, type Policy } from "@touchmark/verify";
import { nodeCrypto } from "@touchmark/log";
import type { Context } from "../command.ts";
import { CliError } from "../error.ts";
import { readIfThere } from "./read-file.ts";

const MAX_POLICY = 1024 * 1024; // [C-15]

/** Where the policy is, or would be. */
export function policyPath({ io, policy }: Context): string {
  return resolve(io.cwd, policy ?? "touchmark.json");
}

/** The policy that `--policy` names, else `touchmark.json` in the current folder. Throws `POLICY_MISSING` and what `parsePolicy` throws. */
export function loadPolicy(context: Context): Policy {
  const path = policyPath(context);
  const { io } = context;
  const bytes = readIfThere(path, MAX_POLICY);
  if (bytes === null) {
    throw new CliError(
      "POLICY_MISSING",
      `There is no policy: ${path} does not exist.`,
      "Write one with: touchmark init --log URL --log-key KEY",
    );
  }
  return parsePolicy(bytes, io.now());
}

/** The same for a command that checks packages: if the policy asks for attested keys, it can be told which ones are. */
export async function loadCheckingPolicy(context: Context): Promise<Policy> {
  const policy = loadPolicy(context);
  if (![...policy.rules.values()].some(({ keys }) => keys?.attested)) return policy;
  const { heldKeyJudge } = await import("@touchmark/fido/attestation");
  return { ...policy, judgeAttestation: heldKeyJudge(nodeCrypto, policy.attestationRoots) };
}
