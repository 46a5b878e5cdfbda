// HID 1.11 section 6.2.2, as much of it as tells how a security key's reports look.
import type { PacketSizes } from "./packet-pipe.ts";

export interface ReportLayout {
  /** 0: the reports carry no id, which is what FIDO devices do. */
  readonly reportId: number;
  readonly sizes: PacketSizes;
}

export const FIDO_USAGE_PAGE = 0xf1d0;
export const FIDO_USAGE = 1;

const MAX_DESCRIPTOR = 4096;
const MAX_DEPTH = 16;
const LONG_ITEM = 0xfe;

const ITEM = {
  input: 0x80,
  output: 0x90,
  collection: 0xa0,
  endCollection: 0xc0,
  usagePage: 0x04,
  reportSize: 0x74,
  reportId: 0x84,
  reportCount: 0x94,
  push: 0xa4,
  pop: 0xb4,
  usage: 0x08,
} as const;

interface Globals {
  usagePage: number;
  reportSize: number;
  reportId: number;
  reportCount: number;
}

/** The layout of the FIDO collection; undefined if the descriptor has none, or is broken. */
export function parseReportDescriptor(bytes: Uint8Array): ReportLayout | undefined {
  if (bytes.length > MAX_DESCRIPTOR) return undefined;
  let globals: Globals = { usagePage: 0, reportSize: 0, reportId: 0, reportCount: 0 };
  const stack: Globals[] = [];
  const bits = { in: 0, out: 0 };
  const ids = new Set<number>();
  let usage = 0;
  let depth = 0;
  let isFido = false;

  for (let at = 0; at < bytes.length;) {
    const prefix = bytes[at] ?? 0;
    if (prefix === LONG_ITEM) {
      at += 3 + (bytes[at + 1] ?? 0);
      continue;
    }
    const width = (prefix & 3) === 3 ? 4 : prefix & 3;
    if (at + 1 + width > bytes.length) return undefined;
    const value = readNumber(bytes.subarray(at + 1, at + 1 + width));
    at += 1 + width;
    switch (prefix & 0xfc) {
      case ITEM.usagePage:
        globals.usagePage = value;
        break;
      case ITEM.reportSize:
        globals.reportSize = value;
        break;
      case ITEM.reportId:
        globals.reportId = value;
        break;
      case ITEM.reportCount:
        globals.reportCount = value;
        break;
      case ITEM.push:
        if (stack.length >= MAX_DEPTH) return undefined;
        stack.push({ ...globals });
        break;
      case ITEM.pop: {
        const last = stack.pop();
        if (last === undefined) return undefined;
        globals = last;
        break;
      }
      case ITEM.usage:
        // A usage of four bytes brings its page along.
        usage = width === 4 ? value : globals.usagePage * 0x10000 + value;
        break;
      case ITEM.collection:
        if (depth++ === 0) isFido = usage === FIDO_USAGE_PAGE * 0x10000 + FIDO_USAGE;
        if (depth > MAX_DEPTH) return undefined;
        break;
      case ITEM.endCollection:
        if (--depth < 0) return undefined;
        if (depth === 0) isFido = false;
        break;
      case ITEM.input:
      case ITEM.output:
        if (!isFido) break;
        bits[(prefix & 0xfc) === ITEM.input ? "in" : "out"] += globals.reportSize * globals.reportCount;
        ids.add(globals.reportId);
        break;
      default:
    }
  }
  const [reportId, ...others] = ids;
  if (depth !== 0 || reportId === undefined || reportId > 0xff || others.length > 0) return undefined;
  if (bits.in === 0 || bits.out === 0 || bits.in % 8 !== 0 || bits.out % 8 !== 0) return undefined;
  return { reportId, sizes: { in: bits.in / 8, out: bits.out / 8 } };
}

function readNumber(bytes: Uint8Array): number {
  let value = 0;
  for (let at = bytes.length - 1; at >= 0; at--) value = value * 0x100 + (bytes[at] ?? 0);
  return value;
}
