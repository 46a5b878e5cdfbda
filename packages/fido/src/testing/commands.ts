import { type CborMap, cborMap, type CborValue, decodeCbor, encodeCbor } from "../cbor/canonical.ts";
import { CTAP2 } from "../ctap2/session.ts";
import { STATUS } from "../ctap2/status.ts";
import { FidoError } from "../error.ts";
import { answerClientPin } from "./client-pin.ts";
import { answerGetAssertion, answerMakeCredential } from "./credential-commands.ts";
import { type CommandContext, Refusal, type SoftDevice } from "./device.ts";
import { awaitUserPresence } from "./user-presence.ts";

/** Answers one CTAP2 command with its status byte and CBOR. Never throws for what a host sent. */
export async function answerCommand(
  device: SoftDevice,
  message: Uint8Array,
  context: CommandContext,
): Promise<Uint8Array> {
  try {
    const answer = await dispatch(device, message, context);
    return answer.size === 0 ? Uint8Array.of(STATUS.ok) : Buffer.concat([Uint8Array.of(STATUS.ok), encodeCbor(answer)]);
  } catch (error) {
    if (error instanceof Refusal) return Uint8Array.of(error.status);
    // The strict reader that both sides share says "garbage"; here the garbage is the host's.
    if (error instanceof FidoError)
      return Uint8Array.of(error.code === "DEVICE_GARBAGE" ? STATUS.invalidCbor : STATUS.other);
    throw error;
  }
}

async function dispatch(device: SoftDevice, message: Uint8Array, context: CommandContext): Promise<CborMap> {
  const [command] = message;
  const body = message.subarray(1);
  switch (command) {
    case CTAP2.getInfo:
      return describe(device);
    case CTAP2.selection:
      if (!device.model.versions.includes("FIDO_2_1")) throw new Refusal(STATUS.invalidCommand);
      await awaitUserPresence(device, context);
      return new Map();
    case CTAP2.makeCredential:
      return await answerMakeCredential(device, parametersOf(body), context);
    case CTAP2.getAssertion:
      return await answerGetAssertion(device, parametersOf(body), context);
    case CTAP2.clientPin:
      return await answerClientPin(device, parametersOf(body), context);
    default:
      throw new Refusal(STATUS.invalidCommand);
  }
}

function parametersOf(body: Uint8Array): CborMap {
  if (body.length === 0) throw new Refusal(STATUS.missingParameter);
  const value = decodeCbor(body);
  if (!(value instanceof Map)) throw new Refusal(STATUS.cborUnexpectedType);
  return value;
}

function describe({ model, store, pin }: SoftDevice): CborMap {
  const options: [string, boolean][] = [
    ["rk", model.discoverablePlaces > 0],
    ["up", true],
    ["alwaysUv", model.alwaysUv],
    ["makeCredUvNotRqd", model.makeCredUvNotRqd],
    ["pinUvAuthToken", model.hasPermissions],
  ];
  if (model.hasClientPin) options.push(["clientPin", store.state.pinHash !== undefined]);
  if (model.fingerprint !== undefined) options.push(["uv", true]);
  const fields: (readonly [number, CborValue | undefined])[] = [
    [0x01, [...model.versions]],
    [0x02, model.hasCredProtect ? ["credProtect"] : undefined],
    [0x03, model.aaguid],
    [0x04, cborMap(...options)],
    [0x05, model.maxMessageBytes],
    [0x06, [...model.pinProtocols]],
    [0x07, model.maxCredentialCountInList],
    [0x08, model.maxCredentialIdLength],
    [0x0a, model.algorithms.map((alg) => cborMap(["alg", alg], ["type", "public-key"]))],
    [0x0c, pin.mustChange ? true : undefined],
    [0x0d, model.minPinLength],
    [0x0e, model.firmwareVersion],
    [0x1b, model.acceptsPin === undefined ? undefined : true],
    [0x1d, model.maxPinLength],
  ];
  return cborMap(...fields.flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const])));
}
