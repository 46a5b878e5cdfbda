import { hash, timingSafeEqual } from "node:crypto";
import { type CborMap, cborMap, type CborValue } from "../cbor/canonical.ts";
import { PERMISSION, SUBCOMMAND } from "../ctap2/client-pin.ts";
import { encodeAgreementKey, parseAgreementKey } from "../ctap2/cose-key.ts";
import type { PinProtocol } from "../ctap2/pin-protocol.ts";
import { STATUS } from "../ctap2/status.ts";
import { awaitUserPresence } from "./user-presence.ts";
import { type CommandContext, Refusal, type SoftDevice } from "./device.ts";
import { bytesOf, mapOf, numberOf } from "./parameters.ts";
import { checkNotBlocked, issueToken, protocolByVersion, verifyPinHash } from "./pin-state.ts";
import { MAX_PIN_RETRIES, MAX_UV_RETRIES } from "./state.ts";

/** authenticatorClientPIN. Throws Refusal. */
export async function answerClientPin(
  device: SoftDevice,
  parameters: CborMap,
  context: CommandContext,
): Promise<CborMap> {
  const { pin, store, model } = device;
  switch (numberOf(parameters, 0x02)) {
    case SUBCOMMAND.getPinRetries:
      return cborMap([0x03, store.state.pinRetries], [0x04, pin.wrongInARow >= 3]);
    case SUBCOMMAND.getUvRetries:
      if (model.fingerprint === undefined || !model.hasPermissions) throw new Refusal(STATUS.invalidSubcommand);
      return cborMap([0x05, store.state.uvRetries]);
    case SUBCOMMAND.getKeyAgreement:
      protocolByVersion(parameters.get(0x01), model.pinProtocols);
      return cborMap([0x01, encodeAgreementKey(pin.agreement.getPublicKey())]);
    case SUBCOMMAND.setPin:
      return await answerSetPin(device, openEnvelope(device, parameters), parameters);
    case SUBCOMMAND.changePin:
      return await answerChangePin(device, openEnvelope(device, parameters), parameters);
    case SUBCOMMAND.getPinToken: {
      const envelope = openEnvelope(device, parameters);
      await checkPinHash(device, envelope, parameters);
      return sealToken(device, envelope, PERMISSION.makeCredential | PERMISSION.getAssertion, undefined);
    }
    case SUBCOMMAND.getTokenUsingPin: {
      if (!model.hasPermissions) throw new Refusal(STATUS.invalidSubcommand);
      const scope = readScope(parameters);
      const envelope = openEnvelope(device, parameters);
      await checkPinHash(device, envelope, parameters);
      return sealToken(device, envelope, scope.permissions, scope.rpId);
    }
    case SUBCOMMAND.getTokenUsingUv: {
      if (model.fingerprint === undefined || !model.hasPermissions) throw new Refusal(STATUS.invalidSubcommand);
      const scope = readScope(parameters);
      const envelope = openEnvelope(device, parameters);
      await readFingerprint(device, context);
      return sealToken(device, envelope, scope.permissions, scope.rpId);
    }
    default:
      throw new Refusal(STATUS.invalidSubcommand);
  }
}

interface Envelope {
  readonly protocol: PinProtocol;
  readonly secret: Uint8Array;
}

function openEnvelope(device: SoftDevice, parameters: CborMap): Envelope {
  if (!device.model.hasClientPin && device.model.fingerprint === undefined) throw new Refusal(STATUS.invalidCommand);
  const protocol = protocolByVersion(parameters.get(0x01), device.model.pinProtocols);
  const platformKey = parseAgreementKey(mapOf(parameters, 0x03));
  return { protocol, secret: protocol.deriveSecret(device.pin.agreement.computeSecret(platformKey)) };
}

async function answerSetPin(device: SoftDevice, { protocol, secret }: Envelope, parameters: CborMap): Promise<CborMap> {
  const sealed = bytesOf(parameters, 0x05);
  if (device.store.state.pinHash !== undefined) throw new Refusal(STATUS.pinAuthInvalid);
  checkParam(protocol, secret, sealed, bytesOf(parameters, 0x04));
  await storePin(device, protocol.decrypt(secret, sealed));
  return new Map();
}

async function answerChangePin(device: SoftDevice, envelope: Envelope, parameters: CborMap): Promise<CborMap> {
  const { protocol, secret } = envelope;
  if (device.store.state.pinHash === undefined) throw new Refusal(STATUS.pinNotSet);
  checkNotBlocked(device);
  const sealed = bytesOf(parameters, 0x05);
  checkParam(protocol, secret, Buffer.concat([sealed, bytesOf(parameters, 0x06)]), bytesOf(parameters, 0x04));
  await checkPinHash(device, envelope, parameters);
  const before = device.store.state.pinHash;
  await storePin(device, protocol.decrypt(secret, sealed), device.pin.mustChange ? before : undefined);
  device.pin.token = undefined;
  device.pin.mustChange = false;
  return new Map();
}

async function checkPinHash(device: SoftDevice, { protocol, secret }: Envelope, parameters: CborMap): Promise<void> {
  if (!device.model.hasClientPin) throw new Refusal(STATUS.invalidSubcommand);
  await verifyPinHash(device, protocol.decrypt(secret, bytesOf(parameters, 0x06)));
}

function checkParam(protocol: PinProtocol, secret: Uint8Array, message: Uint8Array, param: Uint8Array): void {
  const expected = protocol.authenticate(secret, message);
  if (expected.length !== param.length || !timingSafeEqual(expected, param)) throw new Refusal(STATUS.pinAuthInvalid);
}

async function storePin(device: SoftDevice, padded: Uint8Array, forbidden?: Uint8Array): Promise<void> {
  if (padded.length !== 64) throw new Refusal(STATUS.invalidParameter);
  const end = padded.indexOf(0);
  const pin = padded.subarray(0, end === -1 ? padded.length : end);
  const text = Buffer.from(pin).toString("utf8");
  const codePoints = Array.from(text).length;
  const { minPinLength, maxPinLength = 63, acceptsPin } = device.model;
  const isOfLength = pin.length <= 63 && codePoints >= minPinLength && codePoints <= maxPinLength;
  const pinHash = new Uint8Array(hash("sha256", pin, "buffer")).slice(0, 16);
  const isForbidden = forbidden !== undefined && timingSafeEqual(forbidden, pinHash);
  if (!isOfLength || isForbidden || acceptsPin?.(text) === false) throw new Refusal(STATUS.pinPolicyViolation);
  const { state } = device.store;
  state.pinHash = pinHash;
  state.pinRetries = MAX_PIN_RETRIES;
  await device.store.save();
}

function readScope(parameters: CborMap): { readonly permissions: number; readonly rpId: string | undefined } {
  const permissions = numberOf(parameters, 0x09);
  const rpId = parameters.get(0x0a);
  const known = PERMISSION.makeCredential | PERMISSION.getAssertion;
  if (permissions === 0) throw new Refusal(STATUS.invalidParameter);
  if ((permissions & ~known) !== 0) throw new Refusal(STATUS.unauthorizedPermission);
  if (typeof rpId !== "string") throw new Refusal(STATUS.missingParameter);
  return { permissions, rpId };
}

async function readFingerprint(device: SoftDevice, context: CommandContext): Promise<void> {
  const { store, model } = device;
  if (store.state.uvRetries === 0) throw new Refusal(STATUS.uvBlocked);
  await awaitUserPresence(device, context);
  if (model.fingerprint?.() === "match") {
    store.state.uvRetries = MAX_UV_RETRIES;
    await store.save();
    return;
  }
  store.state.uvRetries--;
  await store.save();
  throw new Refusal(store.state.uvRetries === 0 ? STATUS.uvBlocked : STATUS.uvInvalid);
}

function sealToken(
  device: SoftDevice,
  { protocol, secret }: Envelope,
  permissions: number,
  rpId: string | undefined,
): CborMap {
  if (device.pin.mustChange) throw new Refusal(STATUS.pinPolicyViolation);
  const token: CborValue = issueToken(device, protocol.version, permissions, rpId);
  return cborMap([0x02, protocol.encrypt(secret, token, device.randomBytes)]);
}
