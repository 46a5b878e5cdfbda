import { asMap } from "../cbor/fields.ts";
import { type CborMap, decodeCbor, encodeCbor } from "../cbor/canonical.ts";
import { explain } from "../explain.ts";
import { type CallOptions, type CtapChannel } from "../hid/channel.ts";
import { COMMAND } from "../hid/framing.ts";
import type { RandomBytes } from "../pipe/packet-pipe.ts";
import type { AuthenticatorInfo } from "./info.ts";
import { STATUS } from "./status.ts";

/** A key to which CTAP2 commands can be sent. */
export interface CtapSession {
  readonly channel: CtapChannel;
  readonly info: AuthenticatorInfo;
  readonly randomBytes: RandomBytes;
}

export const CTAP2 = {
  makeCredential: 0x01,
  getAssertion: 0x02,
  getInfo: 0x04,
  clientPin: 0x06,
  selection: 0x0b,
} as const;

/** A command's bytes: its number and, if it has any, its parameters. */
export function encodeCommand(command: number, parameters?: CborMap): Uint8Array {
  const body = parameters === undefined ? new Uint8Array() : encodeCbor(parameters);
  return Buffer.concat([Uint8Array.of(command), body]);
}

/**
 * Sends a CTAP2 command and returns the answer's CBOR bytes, which may be none. Throws FidoError; where the key itself refused,
 * the error has its status byte.
 */
export async function callCbor(
  channel: CtapChannel,
  message: Uint8Array,
  maxMessageBytes: number,
  options: CallOptions = {},
): Promise<Uint8Array> {
  // Some keys hang when they get more than they said they could take.
  if (message.length > maxMessageBytes) throw explain({ kind: "status", status: STATUS.requestTooLarge });
  const answer = await channel.call(COMMAND.cbor, message, options);
  const status = answer[0];
  if (status === undefined) throw explain({ kind: "garbage", detail: "an answer without a status" });
  if (status !== STATUS.ok) throw explain({ kind: "status", status });
  return answer.subarray(1);
}

/** The same, decoded: every answer that is not empty is a map. */
export async function callCborMap(
  session: CtapSession,
  command: number,
  parameters: CborMap,
  options: CallOptions = {},
): Promise<CborMap> {
  const bytes = await callCbor(
    session.channel,
    encodeCommand(command, parameters),
    session.info.maxMessageBytes,
    options,
  );
  return bytes.length === 0 ? new Map() : asMap(decodeCbor(bytes), "the answer");
}
