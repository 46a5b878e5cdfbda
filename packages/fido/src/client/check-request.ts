import { FidoError } from "../error.ts";

interface Checkable {
  readonly rpId: string;
  readonly clientDataHash: Uint8Array;
}

// [K-3]: an application is 1 to 253 printable ASCII characters without space.
const RP_ID = /^[\x21-\x7e]{1,253}$/;

/** CTAP 2.1 section 6.1: a user handle is 1 to 64 bytes; a name that is too long is cut by some keys and refused by others. */
export function checkUser(user: { readonly id: Uint8Array; readonly name: string }): void {
  if (user.id.length < 1 || user.id.length > 64) throw new FidoError("BAD_REQUEST", "A user's id is 1 to 64 bytes.");
  if (Buffer.byteLength(user.name) > 64) throw new FidoError("BAD_REQUEST", "A user's name is at most 64 bytes.");
}

/** Throws BAD_REQUEST if the caller's own part can't be right. */
export function checkRequest(request: Checkable): void {
  if (!RP_ID.test(request.rpId))
    throw new FidoError("BAD_REQUEST", "The application name is not 1 to 253 printable characters.");
  if (request.clientDataHash.length !== 32)
    throw new FidoError("BAD_REQUEST", "A security key signs over exactly 32 bytes.");
}
