// FIDO U2F Raw Message Formats 1.2 sections 4 to 6.
import { setTimeout as pause } from "node:timers/promises";
import { explain } from "../explain.ts";
import type { CallOptions, CtapChannel } from "../hid/channel.ts";
import { COMMAND } from "../hid/framing.ts";
import { type AnswerApdu, type CommandApdu, CONTROL, encodeApdu, INS, parseAnswer, SW } from "./apdu.ts";

export interface U2fRegistration {
  /** 65 bytes: 0x04, x, y. */
  readonly publicKey: Uint8Array;
  readonly keyHandle: Uint8Array;
  /** DER. */
  readonly certificate: Uint8Array;
  /** DER, over 0, application, challenge, key handle and public key. */
  readonly signature: Uint8Array;
}

export interface U2fSignature {
  /** Bit 0: touched. */
  readonly presence: number;
  readonly counter: number;
  /** DER, over application, presence, counter and challenge. */
  readonly signature: Uint8Array;
}

export interface U2fQuestion {
  /** 32 bytes. */
  readonly challenge: Uint8Array;
  /** SHA-256 of the rpId. */
  readonly application: Uint8Array;
}

const VERSION = "U2F_V2";
const PUBLIC_KEY_BYTES = 65;
const MAX_SIGNATURE = 72;

/** Whether the key speaks the one version of U2F there is. Throws FidoError. */
export async function speaksU2f(channel: CtapChannel): Promise<boolean> {
  const { sw, data } = await exchange(channel, { ins: INS.version, p1: 0, data: new Uint8Array() }, {});
  return sw === SW.ok && Buffer.from(data).toString("latin1") === VERSION;
}

/** Makes a key pair after a touch. Throws TOUCH_TIMEOUT, CANCELLED, DEVICE_GARBAGE and FidoError. */
export async function register(
  channel: CtapChannel,
  question: U2fQuestion,
  options: CallOptions = {},
): Promise<U2fRegistration> {
  const data = Buffer.concat([question.challenge, question.application]);
  return parseRegistration(await untilTouched(channel, { ins: INS.register, p1: CONTROL.sign, data }, options));
}

/** Whether the key made this key handle for the application; needs no touch. Throws FidoError. */
export async function knowsHandle(
  channel: CtapChannel,
  application: Uint8Array,
  keyHandle: Uint8Array,
  options: CallOptions = {},
): Promise<boolean> {
  const question = { challenge: new Uint8Array(32), application };
  const { sw } = await exchange(channel, authentication(CONTROL.checkOnly, question, keyHandle), options);
  // Keys differ in how they call a handle that isn't theirs.
  if (sw === SW.conditionsNotSatisfied) return true;
  if (sw === SW.wrongData || sw === SW.wrongLength || sw === 0x6984) return false;
  throw explain({ kind: "u2f-status", sw });
}

/** Signs after a touch. Throws CREDENTIAL_UNKNOWN, TOUCH_TIMEOUT, CANCELLED, DEVICE_GARBAGE and FidoError. */
export async function authenticate(
  channel: CtapChannel,
  question: U2fQuestion,
  keyHandle: Uint8Array,
  options: CallOptions = {},
): Promise<U2fSignature> {
  return parseU2fSignature(await untilTouched(channel, authentication(CONTROL.sign, question, keyHandle), options));
}

function authentication(control: number, { challenge, application }: U2fQuestion, keyHandle: Uint8Array): CommandApdu {
  const data = Buffer.concat([challenge, application, Uint8Array.of(keyHandle.length), keyHandle]);
  return { ins: INS.authenticate, p1: control, data };
}

/** Reads the answer to `register`. Throws DEVICE_GARBAGE. */
export function parseRegistration(bytes: Uint8Array): U2fRegistration {
  const handleAt = 1 + PUBLIC_KEY_BYTES + 1;
  if (bytes[0] !== 0x05 || bytes.length < handleAt) throw bad("a U2F registration of another form");
  const certificateAt = handleAt + (bytes[handleAt - 1] ?? 0);
  const signatureAt = certificateAt + derLength(bytes.subarray(certificateAt));
  const signature = bytes.slice(signatureAt);
  if (certificateAt === handleAt || signature.length === 0 || signature.length > MAX_SIGNATURE)
    throw bad("a U2F registration of another form");
  return {
    publicKey: bytes.slice(1, 1 + PUBLIC_KEY_BYTES),
    keyHandle: bytes.slice(handleAt, certificateAt),
    certificate: bytes.slice(certificateAt, signatureAt),
    signature,
  };
}

/** Reads the answer to `authenticate`. Throws DEVICE_GARBAGE. */
export function parseU2fSignature(bytes: Uint8Array): U2fSignature {
  if (bytes.length < 6 || bytes.length > 5 + MAX_SIGNATURE) throw bad("a U2F signature of another form");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { presence: view.getUint8(0), counter: view.getUint32(1), signature: bytes.slice(5) };
}

// Where the certificate ends is told by nothing but its own DER.
function derLength(bytes: Uint8Array): number {
  const [tag, first, high, low] = bytes;
  if (tag !== 0x30 || first !== 0x82 || high === undefined || low === undefined)
    throw bad("a U2F registration without a certificate");
  const length = 4 + ((high << 8) | low);
  if (length > bytes.length) throw bad("a U2F registration that ends too early");
  return length;
}

// A U2F key answers at once that it has not been touched; it is asked again until it has.
async function untilTouched(channel: CtapChannel, command: CommandApdu, options: CallOptions): Promise<Uint8Array> {
  const { touch, touchPoll } = channel.timing;
  const giveUp = performance.now() + touch;
  for (;;) {
    const { sw, data } = await exchange(channel, command, options);
    if (sw === SW.ok) return data;
    if (sw === SW.wrongData) throw explain({ kind: "status", status: 0x2e });
    if (sw !== SW.conditionsNotSatisfied) throw explain({ kind: "u2f-status", sw });
    options.onKeepalive?.("touch");
    if (performance.now() >= giveUp) throw explain({ kind: "status", status: 0x2f });
    await pause(touchPoll, undefined, { ...(options.signal && { signal: options.signal }) }).catch(() => undefined);
    if (options.signal?.aborted) throw explain({ kind: "cancelled" });
  }
}

async function exchange(channel: CtapChannel, command: CommandApdu, options: CallOptions): Promise<AnswerApdu> {
  const answer = parseAnswer(await channel.call(COMMAND.msg, encodeApdu(command), options));
  if (answer === undefined) throw bad("a U2F answer without a status");
  return answer;
}

function bad(detail: string): Error {
  return explain({ kind: "garbage", detail });
}
