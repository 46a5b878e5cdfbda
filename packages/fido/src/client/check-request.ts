import { FidoError } from "../error.ts";

interface Checkable {
  readonly rpId: string;
  readonly clientDataHash: Uint8Array;
}

// [K-3]: an application is 1 to 253 printable ASCII characters without space.
const RP_ID = /^[\x21-\x7e]{1,253}$/;

/** Throws BAD_REQUEST if the caller's own part can't be right. */
export function checkRequest(request: Checkable): void {
  if (!RP_ID.test(request.rpId))
    throw new FidoError("BAD_REQUEST", "The application name is not 1 to 253 printable characters.");
  if (request.clientDataHash.length !== 32)
    throw new FidoError("BAD_REQUEST", "A security key signs over exactly 32 bytes.");
}
