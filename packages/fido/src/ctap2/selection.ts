import { cborMap } from "../cbor/canonical.ts";
import { FidoError } from "../error.ts";
import type { CallOptions } from "../hid/channel.ts";
import { ES256 } from "./cose-key.ts";
import { callCbor, CTAP2, type CtapSession, encodeCommand } from "./session.ts";
import { STATUS } from "./status.ts";

/** Waits until this key is touched, with no other effect. Throws TOUCH_TIMEOUT, CANCELLED and FidoError. */
export async function awaitTouch(session: CtapSession, options: CallOptions = {}): Promise<void> {
  const knowsSelection = session.info.versions.some((version) => /^FIDO_2_[1-9]$/.test(version));
  try {
    const message = knowsSelection ? encodeCommand(CTAP2.selection) : encodeDummy();
    await callCbor(session.channel, message, session.info.maxMessageBytes, options);
  } catch (error) {
    if (error instanceof FidoError && !knowsSelection && TOUCHED.has(error.status)) return;
    throw error;
  }
}

// CTAP 2.0 section 5.1: with an empty pinAuth a key waits for a touch and then refuses in one of these ways.
const TOUCHED: ReadonlySet<number | undefined> = new Set([STATUS.pinNotSet, STATUS.pinInvalid, STATUS.pinAuthInvalid]);

function encodeDummy(): Uint8Array {
  const parameters = cborMap(
    [0x01, new Uint8Array(32)],
    [0x02, cborMap(["id", "touch.invalid"])],
    [0x03, cborMap(["id", Uint8Array.of(1)], ["name", "touch"])],
    [0x04, [cborMap(["alg", ES256], ["type", "public-key"])]],
    [0x08, new Uint8Array()],
    [0x09, 1],
  );
  return encodeCommand(CTAP2.makeCredential, parameters);
}
