import type { JsonObject } from "@touchmark/core";
import type { KeyDemands } from "@touchmark/verify";
import { count } from "../ui.ts";

/** What a rule of the policy asks of keys, in few words. `roots`: how many may vouch for makers. */
export function describeDemands(demands: KeyDemands, roots: number): string {
  const { userVerification, deviceBound, attested, forbidModels, forbidFirmwareBelow } = demands;
  const asked = [
    ...(userVerification ? ["PIN or fingerprint"] : []),
    ...(deviceBound ? ["no key that can be copied"] : []),
    ...(attested ? [`attested by one of ${count(roots, "root")}`] : []),
    ...(forbidModels.size > 0 ? [`not of ${count(forbidModels.size, "forbidden model")}`] : []),
    ...[...forbidFirmwareBelow].map(([maker, version]) => `firmware of ${maker} from ${version} on`),
  ];
  return asked.join("; ") || "nothing";
}

export function demandsDocument(demands: KeyDemands): JsonObject {
  const { forbidModels, forbidFirmwareBelow, ...choices } = demands;
  return {
    ...choices,
    forbidModels: [...forbidModels],
    forbidFirmwareBelow: Object.fromEntries(forbidFirmwareBelow),
  };
}
