import { hash } from "node:crypto";
import { type CborMap, cborMap, encodeCbor } from "../cbor/canonical.ts";
import { FLAG } from "../ctap2/auth-data.ts";
import { PERMISSION } from "../ctap2/client-pin.ts";
import { type Algorithm, encodeCredentialKey, ES256 } from "../ctap2/cose-key.ts";
import { encodeCredentialId } from "../ctap2/make-credential.ts";
import { STATUS } from "../ctap2/status.ts";
import { createCredential, openCredential, type SoftCredential } from "./credential.ts";
import { keepCredential, keptFor } from "./kept-credentials.ts";
import { type CommandContext, Refusal, type SoftDevice } from "./device.ts";
import { asMapParameter, bytesOf, credentialIdsOf, listOf, mapOf, numberOf, optionOf, textOf } from "./parameters.ts";
import { spendTouch } from "./user-presence.ts";
import { answerTouchProbe, checkAlwaysUv, verifyToken } from "./verification.ts";

/** CTAP 2.1 section 6.1.2, in its order. Throws Refusal. */
export async function answerMakeCredential(
  device: SoftDevice,
  parameters: CborMap,
  context: CommandContext,
): Promise<CborMap> {
  const { model, store } = device;
  await answerTouchProbe(device, parameters, 0x08, context);
  const clientDataHash = clientDataHashOf(parameters, 0x01);
  const rpId = textOf(mapOf(parameters, 0x02), "id");
  const userId = bytesOf(mapOf(parameters, 0x03), "id");
  const algorithm = chooseAlgorithm(device, parameters);
  const isKept = optionOf(parameters, 0x07, "rk") === true;
  if (isKept && model.discoverablePlaces === 0) throw new Refusal(STATUS.unsupportedOption);
  const protection = readProtection(device, parameters);
  if (optionOf(parameters, 0x07, "up") === false) throw new Refusal(STATUS.invalidOption);
  const hasToken = verifyToken(device, parameters, {
    rpId,
    clientDataHash,
    permission: PERMISSION.makeCredential,
    paramKey: 0x08,
    protocolKey: 0x09,
  });
  const isVerified = hasToken || readBuiltInUv(device, parameters, 0x07);
  checkAlwaysUv(device, isVerified);
  const isProtected = store.state.pinHash !== undefined || model.fingerprint !== undefined;
  if (isProtected && !isVerified && !model.makeCredUvNotRqd) throw new Refusal(STATUS.pinOrUvRequired);

  const rpIdHash = sha256(rpId);
  const excluded = readIds(device, parameters, 0x05)
    .map((id) => openCredential(store.state.deviceSecret, rpIdHash, id))
    .some((one) => one !== undefined && (isVerified || one.protection < HIDDEN));
  await spendTouch(device, context);
  if (excluded) throw new Refusal(STATUS.credentialExcluded);

  const credential = createCredential(store.state.deviceSecret, rpIdHash, algorithm, device.randomBytes, protection);
  if (isKept) await keepCredential(device, { rpIdHash, userId, credentialId: credential.id });
  const extensions = protection === 0 ? [] : [encodeCbor(cborMap(["credProtect", protection]))];
  const flags = FLAG.up | FLAG.at | (isVerified ? FLAG.uv : 0) | (protection === 0 ? 0 : FLAG.ed);
  const authData = Buffer.concat([
    await encodeHead(device, rpIdHash, flags),
    encodeAttested(model.aaguid, credential),
    ...extensions,
  ]);
  const { fmt, attStmt } = attest(device, credential, Buffer.concat([authData, clientDataHash]));
  return cborMap([0x01, fmt], [0x02, new Uint8Array(authData)], [0x03, attStmt]);
}

/** CTAP 2.1 section 6.2.2, in its order. Throws Refusal. */
export async function answerGetAssertion(
  device: SoftDevice,
  parameters: CborMap,
  context: CommandContext,
): Promise<CborMap> {
  const { store, model } = device;
  await answerTouchProbe(device, parameters, 0x06, context);
  const rpId = textOf(parameters, 0x01);
  const clientDataHash = clientDataHashOf(parameters, 0x02);
  const wantsTouch = optionOf(parameters, 0x05, "up") ?? true;
  if (optionOf(parameters, 0x05, "rk") !== undefined) throw new Refusal(STATUS.unsupportedOption);
  const hasToken = verifyToken(device, parameters, {
    rpId,
    clientDataHash,
    permission: PERMISSION.getAssertion,
    paramKey: 0x06,
    protocolKey: 0x07,
  });
  const isVerified = hasToken || readBuiltInUv(device, parameters, 0x05);
  checkAlwaysUv(device, isVerified);

  const rpIdHash = sha256(rpId);
  const ids = readIds(device, parameters, 0x03);
  const kept = ids.length === 0 ? keptFor(device, rpIdHash) : [];
  // CTAP 2.1 section 12.1: what is protected is shown to verified users, or at the lower level to those who name it.
  const shownBelow = ids.length === 0 ? HIDDEN - 1 : HIDDEN;
  const credential = (ids.length === 0 ? kept.map(({ credentialId }) => credentialId) : ids)
    .map((id) => openCredential(store.state.deviceSecret, rpIdHash, id))
    .find((one) => one !== undefined && (isVerified || one.protection < shownBelow));
  if (credential === undefined) throw new Refusal(STATUS.noCredentials);
  if (wantsTouch) await spendTouch(device, context);

  const authData = await encodeHead(device, rpIdHash, (wantsTouch ? FLAG.up : 0) | (isVerified ? FLAG.uv : 0));
  const signature = credential.sign(Buffer.concat([authData, clientDataHash]));
  const answer = cborMap([0x02, authData], [0x03, signature]);
  const user = kept.find(({ credentialId }) => Buffer.compare(credentialId, credential.id) === 0);
  if (user !== undefined) answer.set(0x04, cborMap(["id", user.userId]));
  if (ids.length !== 1 || !model.omitsSingleCredential) answer.set(0x01, encodeCredentialId(credential.id));
  return answer;
}

/** The level of credProtect at which a credential is shown to verified users alone. */
const HIDDEN = 3;

function readProtection({ model }: SoftDevice, parameters: CborMap): number {
  const extensions = parameters.has(0x06) ? mapOf(parameters, 0x06) : new Map();
  if (!model.hasCredProtect || !extensions.has("credProtect")) return 0;
  const level = numberOf(extensions, "credProtect");
  if (level < 1 || level > HIDDEN) throw new Refusal(STATUS.invalidOption);
  return level;
}

function clientDataHashOf(parameters: CborMap, key: number): Uint8Array {
  const value = bytesOf(parameters, key);
  if (value.length !== 32) throw new Refusal(STATUS.invalidLength);
  return value;
}

function chooseAlgorithm(device: SoftDevice, parameters: CborMap): Algorithm {
  const wanted = listOf(parameters, 0x04).map((one) => numberOf(asMapParameter(one), "alg"));
  const chosen = wanted.find((algorithm): algorithm is Algorithm =>
    device.model.algorithms.some((one) => one === algorithm),
  );
  if (chosen === undefined) throw new Refusal(STATUS.unsupportedAlgorithm);
  return chosen;
}

// Keys with a fingerprint reader but without tokens verify within the command itself.
function readBuiltInUv({ model }: SoftDevice, parameters: CborMap, optionsKey: number): boolean {
  if (optionOf(parameters, optionsKey, "uv") !== true) return false;
  if (model.fingerprint === undefined) throw new Refusal(STATUS.invalidOption);
  if (model.fingerprint() === "mismatch") throw new Refusal(STATUS.operationDenied);
  return true;
}

function readIds(device: SoftDevice, parameters: CborMap, key: number): Uint8Array[] {
  const ids = credentialIdsOf(parameters, key);
  const { maxCredentialCountInList: most, maxCredentialIdLength: longest } = device.model;
  if (most !== undefined && ids.length > most) throw new Refusal(STATUS.limitExceeded);
  if (longest !== undefined && ids.some((id) => id.length > longest)) throw new Refusal(STATUS.invalidLength);
  return ids;
}

async function encodeHead({ store }: SoftDevice, rpIdHash: Uint8Array, flags: number): Promise<Uint8Array> {
  store.state.counter++;
  await store.save();
  const head = Buffer.alloc(37);
  head.set(rpIdHash);
  head[32] = flags;
  head.writeUInt32BE(store.state.counter, 33);
  return new Uint8Array(head);
}

function encodeAttested(aaguid: Uint8Array, credential: SoftCredential): Uint8Array {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(credential.id.length);
  return Buffer.concat([aaguid, length, credential.id, encodeCbor(encodeCredentialKey(credential.publicKey))]);
}

function attest(
  { model, batch }: SoftDevice,
  credential: SoftCredential,
  message: Uint8Array,
): { readonly fmt: string; readonly attStmt: CborMap } {
  if (model.attestation === "none") return { fmt: "none", attStmt: new Map() };
  if (batch === undefined)
    return { fmt: "packed", attStmt: cborMap(["alg", credential.algorithm], ["sig", credential.sign(message)]) };
  return {
    fmt: "packed",
    attStmt: cborMap(
      ["alg", ES256],
      ["sig", batch.sign(message)],
      ["x5c", [batch.certificate, ...batch.intermediates]],
    ),
  };
}

function sha256(text: string): Uint8Array {
  return new Uint8Array(hash("sha256", text, "buffer"));
}
