import type { RandomBytes } from "../pipe/packet-pipe.ts";

/** What a software authenticator must not forget when it is unplugged. */
export interface AuthenticatorState {
  /** 32 bytes under which credentials are sealed. Whoever has it has the keys: this is not hardware. */
  readonly deviceSecret: Uint8Array;
  /** First 16 bytes of SHA-256 of the PIN; undefined = none set. */
  pinHash: Uint8Array | undefined;
  pinRetries: number;
  uvRetries: number;
  counter: number;
  /** Credentials that the key keeps, oldest first. */
  readonly discoverable: KeptCredential[];
}

export interface KeptCredential {
  readonly rpIdHash: Uint8Array;
  readonly userId: Uint8Array;
  readonly credentialId: Uint8Array;
}

/** Keeps the state. `save` has returned before the key answers, so that a counter never goes back. */
export interface StateStore {
  readonly state: AuthenticatorState;
  save(): Promise<void>;
}

export const MAX_PIN_RETRIES = 8;
export const MAX_UV_RETRIES = 3;

export function createState(randomBytes: RandomBytes): AuthenticatorState {
  return {
    deviceSecret: randomBytes(32),
    pinHash: undefined,
    pinRetries: MAX_PIN_RETRIES,
    uvRetries: MAX_UV_RETRIES,
    counter: 0,
    discoverable: [],
  };
}

/** A state that lives as long as the process. */
export function createMemoryStore(randomBytes: RandomBytes): StateStore {
  return { state: createState(randomBytes), save: async () => undefined };
}
