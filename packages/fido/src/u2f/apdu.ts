// FIDO U2F Raw Message Formats 1.2 section 3: commands and answers as ISO 7816-4 APDUs of extended length.

export const INS = { register: 0x01, authenticate: 0x02, version: 0x03 } as const;

/** P1 of `authenticate`. */
export const CONTROL = { checkOnly: 0x07, sign: 0x03 } as const;

/** Status words. */
export const SW = {
  ok: 0x9000,
  /** `authenticate` to sign and `register`: not touched yet. `authenticate` to check: the key handle is known. */
  conditionsNotSatisfied: 0x6985,
  wrongData: 0x6a80,
  wrongLength: 0x6700,
  instructionNotSupported: 0x6d00,
  classNotSupported: 0x6e00,
} as const;

export interface CommandApdu {
  readonly ins: number;
  readonly p1: number;
  readonly data: Uint8Array;
}

/** Class 0, P2 0; an answer of any length is expected. */
export function encodeApdu({ ins, p1, data }: CommandApdu): Uint8Array {
  const lengths = data.length === 0 ? [] : [data.length >> 8, data.length & 0xff];
  return Uint8Array.of(0, ins, p1, 0, 0, ...lengths, ...data, 0, 0);
}

/** Reads a command of extended length; undefined if it is none, or of another class. */
export function parseApdu(bytes: Uint8Array): CommandApdu | undefined {
  const [cla, ins, p1, p2, zero, high, low] = bytes;
  if (cla !== 0 || ins === undefined || p1 === undefined || p2 !== 0) return undefined;
  if (bytes.length === 4) return { ins, p1, data: new Uint8Array() };
  if (zero !== 0 || high === undefined || low === undefined) return undefined;
  // Without data these two are the length of the answer.
  if (bytes.length === 7) return { ins, p1, data: new Uint8Array() };
  const length = (high << 8) | low;
  const rest = bytes.length - 7 - length;
  return rest === 0 || rest === 2 ? { ins, p1, data: bytes.slice(7, 7 + length) } : undefined;
}

export interface AnswerApdu {
  readonly data: Uint8Array;
  /** Status word. */
  readonly sw: number;
}

export function encodeAnswer(sw: number, data: Uint8Array = new Uint8Array()): Uint8Array {
  return Uint8Array.of(...data, sw >> 8, sw & 0xff);
}

/** Reads an answer; undefined if it is too short to be one. */
export function parseAnswer(bytes: Uint8Array): AnswerApdu | undefined {
  const [high, low] = bytes.slice(-2);
  if (high === undefined || low === undefined) return undefined;
  return { data: bytes.slice(0, -2), sw: (high << 8) | low };
}
