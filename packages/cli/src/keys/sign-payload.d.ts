import { type Authority, type EnvelopeSignature } from "@touchmark/core";
import { type Interaction } from "@touchmark/fido";
import type { EnrolledKey } from "./key-store.ts";
export interface SigningRequest {
    payload: Uint8Array;
    /** Keys of one holder with one application; whichever is plugged in signs. */
    keys: readonly EnrolledKey[];
    device: string;
    demands: Pick<Authority, "userVerification" | "deviceBound">;
    interaction: Interaction;
}
/** One signature over a statement with one touch, verified before it is given back. Throws `BAD_OWN_SIGNATURE`, FidoError. */
export declare function signPayload(request: SigningRequest): Promise<{
    signature: EnvelopeSignature;
    key: EnrolledKey;
}>;
