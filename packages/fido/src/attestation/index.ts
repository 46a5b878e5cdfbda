// Attestations and nothing else: no device is talked to and node-hid is not loaded. Whoever checks packages by a policy that asks for
// attested keys needs this much of the package, and only then.
export { heldKeyJudge, type HeldKeyAttestation, type HeldKeyJudge, judgeHeldKey } from "./held-key.ts";
