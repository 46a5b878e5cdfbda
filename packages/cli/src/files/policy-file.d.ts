import { type Policy } from "@touchmark/verify";
import type { Context } from "../command.ts";
/** The policy that `--policy` names, else `touchmark.json` in the current folder. Throws `POLICY_MISSING` and what `parsePolicy` throws. */
export declare function loadPolicy({ io, policy }: Context): Policy;
