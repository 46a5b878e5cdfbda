// Discoverable credentials: those that the key keeps itself.
import { STATUS } from "../ctap2/status.ts";
import { Refusal, type SoftDevice } from "./device.ts";
import type { KeptCredential } from "./state.ts";

/** Keeps a credential in the place of one for the same user and application, or in a new one. Throws Refusal if there is none left. */
export async function keepCredential({ store, model }: SoftDevice, credential: KeptCredential): Promise<void> {
  const { discoverable } = store.state;
  const before = discoverable.findIndex(
    ({ rpIdHash, userId }) => isEqual(rpIdHash, credential.rpIdHash) && isEqual(userId, credential.userId),
  );
  if (before >= 0) discoverable.splice(before, 1);
  if (discoverable.length >= model.discoverablePlaces) throw new Refusal(STATUS.keyStoreFull);
  discoverable.push(credential);
  await store.save();
}

/** The credentials kept for an application, newest first. */
export function keptFor({ store }: SoftDevice, rpIdHash: Uint8Array): KeptCredential[] {
  return store.state.discoverable.filter((kept) => isEqual(kept.rpIdHash, rpIdHash)).toReversed();
}

function isEqual(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0;
}
