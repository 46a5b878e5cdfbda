// X.690, as much of DER as certificates need; every length in its shortest form, nothing after the end.

export interface Der {
  readonly tag: number;
  readonly content: Uint8Array;
  /** Tag, length and content. */
  readonly bytes: Uint8Array;
}

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  printable: 0x13,
  teletex: 0x14,
  ia5: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Thrown for bytes that are no DER; whoever reads a certificate catches it. */
export class DerError extends Error {
  override readonly name = "DerError";
}

const MOST_ELEMENTS = 256;

/** Reads the one element that `bytes` are, with `tag` if given. Throws DerError. */
export function readDer(bytes: Uint8Array, tag?: number): Der {
  const [element, ...others] = readElements(bytes);
  if (element === undefined || others.length > 0) throw new DerError("not exactly one element");
  if (tag !== undefined && element.tag !== tag) throw new DerError(`an element of another type (${element.tag})`);
  return element;
}

/** Reads the elements inside a constructed one. Throws DerError. */
export function childrenOf(element: Der, tag: number): Der[] {
  if (element.tag !== tag) throw new DerError(`an element of another type (${element.tag})`);
  return readElements(element.content);
}

/** Dotted decimal. Throws DerError. */
export function readOid({ tag, content }: Der): string {
  const last = content.at(-1);
  if (tag !== TAG.oid || last === undefined || last > 0x7f) throw new DerError("no object identifier");
  const arcs: number[] = [];
  let arc = 0;
  let isFirst = true;
  for (const byte of content) {
    if ((isFirst && byte === 0x80) || arc > 2 ** 40) throw new DerError("no object identifier");
    arc = arc * 0x80 + (byte & 0x7f);
    isFirst = byte < 0x80;
    if (!isFirst) continue;
    arcs.push(arc);
    arc = 0;
  }
  const [both = 0, ...rest] = arcs;
  const top = Math.min(2, Math.floor(both / 40));
  return [top, both - 40 * top, ...rest].join(".");
}

/** A small number from 0 up. Throws DerError. */
export function readSmallInteger({ tag, content }: Der): number {
  const [first = 0, second = 0] = content;
  const isShortest = content.length === 1 || first !== 0 || second > 0x7f;
  if (tag !== TAG.integer || content.length < 1 || content.length > 4 || first > 0x7f || !isShortest)
    throw new DerError("no small number");
  return content.reduce((value, byte) => value * 0x100 + byte, 0);
}

export function readBoolean({ tag, content }: Der): boolean {
  const [value] = content;
  if (tag !== TAG.boolean || content.length !== 1 || (value !== 0 && value !== 0xff)) throw new DerError("no boolean");
  return value === 0xff;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** The text of one of the usual string types. Throws DerError. */
export function readText({ tag, content }: Der): string {
  switch (tag) {
    case TAG.utf8:
      try {
        return utf8.decode(content);
      } catch {
        throw new DerError("text that is not UTF-8");
      }
    case TAG.printable:
    case TAG.ia5:
    case TAG.teletex:
      return Buffer.from(content).toString("latin1");
    default:
      throw new DerError(`text of a type that is not read (${tag})`);
  }
}

const UTC_TIME = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;
const GENERALIZED_TIME = /^(\d\d\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;

/** RFC 5280 section 4.1.2.5: seconds since 1970. Throws DerError. */
export function readTime({ tag, content }: Der): number {
  const text = Buffer.from(content).toString("latin1");
  const match =
    tag === TAG.utcTime ? UTC_TIME.exec(text) : tag === TAG.generalizedTime ? GENERALIZED_TIME.exec(text) : null;
  if (match === null) throw new DerError("no time");
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  const century = tag === TAG.generalizedTime ? 0 : year < 50 ? 2000 : 1900;
  const date = new Date(0);
  date.setUTCFullYear(century + year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  if (date.getUTCDate() !== day || date.getUTCMonth() !== month - 1 || date.getUTCHours() !== hour)
    throw new DerError("no time");
  return date.getTime() / 1000;
}

function readElements(bytes: Uint8Array): Der[] {
  const elements: Der[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (elements.length >= MOST_ELEMENTS) throw new DerError("too many elements");
    const { start, end } = readHead(bytes, at);
    elements.push({ tag: bytes[at] ?? 0, content: bytes.subarray(start, end), bytes: bytes.subarray(at, end) });
    at = end;
  }
  return elements;
}

function readHead(bytes: Uint8Array, at: number): { readonly start: number; readonly end: number } {
  const tag = bytes[at] ?? 0;
  const first = bytes[at + 1];
  if ((tag & 0x1f) === 0x1f) throw new DerError("a long tag");
  if (first === undefined) throw new DerError("an end that comes too early");
  const width = first < 0x80 ? 0 : first & 0x7f;
  if (first === 0x80 || width > 3) throw new DerError("a length of a form that is not read");
  const start = at + 2 + width;
  const length = width === 0 ? first : bytes.subarray(at + 2, start).reduce((value, byte) => value * 0x100 + byte, 0);
  if (width > 0 && length < (width === 1 ? 0x80 : 0x100 ** (width - 1)))
    throw new DerError("a length that is not in its shortest form");
  if (start + length > bytes.length) throw new DerError("an end that comes too early");
  return { start, end: start + length };
}
