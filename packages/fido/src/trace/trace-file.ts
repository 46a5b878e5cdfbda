// A trace: one JSON object a line, the first of which says what it is.
import { FidoError } from "../error.ts";
import { type PacketSizes } from "../pipe/packet-pipe.ts";

export interface TraceEntry {
  /** Milliseconds since the trace began. */
  readonly at: number;
  readonly from: "host" | "device";
  /** As long as the packets of that direction, unless it came with another length. */
  readonly packet: Uint8Array;
  /** What was left out of the message that begins with this packet. */
  readonly cleared: readonly string[];
}

export interface Trace {
  readonly sizes: PacketSizes;
  readonly entries: readonly TraceEntry[];
}

const KIND = "touchmark trace v1";
const MAX_TRACE = 64 * 1024 * 1024;
const MAX_PACKET = 1024;

export function encodeTraceHead(sizes: PacketSizes): string {
  return `${JSON.stringify({ kind: KIND, in: sizes.in, out: sizes.out })}\n`;
}

/** One line. Zeros at the end of a packet are not written; a length that is not the usual one is. */
export function encodeTraceEntry({ at, from, packet, cleared }: TraceEntry, sizes: PacketSizes): string {
  const length = packet.length === lengthOf(from, sizes) ? {} : { length: packet.length };
  const hex = Buffer.from(packet)
    .toString("hex")
    .replace(/(?:00)+$/, "");
  return `${JSON.stringify({ at: Math.round(at), from, packet: hex, ...length, ...(cleared.length > 0 && { cleared }) })}\n`;
}

/** Reads a trace. Throws BAD_TRACE. */
export function parseTrace(text: string): Trace {
  if (text.length > MAX_TRACE) throw bad(1);
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  const [head, ...rest] = lines.map((line, index) => readLine(line, index + 1));
  if (head?.["kind"] !== KIND || !isLength(head["in"]) || !isLength(head["out"])) throw bad(1);
  const sizes = { in: head["in"], out: head["out"] };
  return { sizes, entries: rest.map((line, index) => readEntry(line, sizes, index + 2)) };
}

function readLine(line: string, number: number): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw bad(number);
}

function readEntry(line: Record<string, unknown>, sizes: PacketSizes, number: number): TraceEntry {
  const { at, from, packet, length, cleared = [] } = line;
  if (typeof at !== "number" || (from !== "host" && from !== "device")) throw bad(number);
  if (typeof packet !== "string" || !/^(?:[0-9a-f]{2})*$/.test(packet)) throw bad(number);
  const bytes = new Uint8Array(length === undefined ? lengthOf(from, sizes) : isLength(length) ? length : 0);
  if (packet.length / 2 > bytes.length || !Array.isArray(cleared)) throw bad(number);
  bytes.set(Buffer.from(packet, "hex"));
  return { at, from, packet: bytes, cleared: cleared.map(String) };
}

function lengthOf(from: TraceEntry["from"], sizes: PacketSizes): number {
  return from === "host" ? sizes.out : sizes.in;
}

function isLength(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= MAX_PACKET;
}

function bad(line: number): FidoError {
  return new FidoError("BAD_TRACE", `This is no trace of a security key: line ${line} cannot be read.`, {
    hint: "A trace is what this program wrote, one line a packet.",
  });
}
