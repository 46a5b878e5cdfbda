import { hash } from "node:crypto";
import { cleanText, type Key } from "@touchmark/core";
import { type Attestation, parseAttestationObject } from "../ctap2/attestation.ts";
import { type CredentialPublicKey, EDDSA, ES256 } from "../ctap2/cose-key.ts";
import { FidoError } from "../error.ts";
import { type AdvisoryFinding, findAdvisories } from "./advisories.ts";
import { type Certificate, keyIdentifier, subjectName } from "./certificate.ts";
import { checkChain } from "./chain.ts";
import { findFirmware, type Firmware, isYubico } from "./firmware.ts";
import type { Metadata, MetadataModel } from "./metadata.ts";
import { type AttestationReason, reason } from "./reason.ts";
import type { AttestationRoots } from "./roots.ts";
import { checkStatement, type StatementVerdict } from "./statement.ts";
import { YUBICO_MODELS } from "./yubikeys.ts";

export interface AttestationRequest {
  /** As it is kept ([K-16]). */
  readonly attestation: { readonly format: string; readonly object: Uint8Array };
  /** The key that it is to be about. */
  readonly key: Pick<Key, "publicKey" | "application">;
  /** 32 bytes: core's `enrolmentHash` of the holder ([K-15]). */
  readonly clientDataHash: Uint8Array;
  /** Whom the user has named. Without either nothing is believed. */
  readonly roots?: AttestationRoots | undefined;
  readonly metadata?: Metadata | undefined;
  /** Seconds since 1970: when the certificates and the metadata are to be valid. */
  readonly time: number;
  /** What the key's getInfo said, if it is known. */
  readonly firmwareVersion?: number | undefined;
}

export interface AttestationVerdict {
  /** A maker whom the user has named vouches that this key is in hardware of the model. True exactly if there are no reasons. */
  readonly attested: boolean;
  /** All that speaks against it. */
  readonly reasons: readonly AttestationReason[];
  readonly format: string;
  /** 32 hex digits; undefined where nothing that was signed names the model. */
  readonly aaguid: string | undefined;
  /** What the model is called, safe to print; `table`: by a list of AAGUIDs in this package. */
  readonly model: { readonly name: string; readonly source: "metadata" | "table" } | undefined;
  /** Names from the leaf to the root, safe to print; empty if none of the roots vouches for it. */
  readonly path: readonly string[];
  readonly firmware: Firmware | undefined;
  /** Who made it, where that is a maker whose firmware is known. */
  readonly maker: "yubico" | undefined;
  /** Known faults; also where the attestation is not believed. */
  readonly advisories: readonly AdvisoryFinding[];
}

/** Whether an attestation is to be believed [K-20] to [K-23], with everything that speaks against it. Nothing is believed silently: an empty list of reasons is all that says yes. */
export function checkAttestation(request: AttestationRequest): AttestationVerdict {
  const attestation = readObject(request);
  if ("code" in attestation) return verdict(request, { reasons: [attestation] });
  const statement = checkStatement(attestation, request.clientDataHash);
  const reasons = [...checkSubject(attestation, request), ...statement.reasons];
  const aaguid = statement.aaguid === undefined ? undefined : Buffer.from(statement.aaguid).toString("hex");
  const [leaf] = statement.certificates;
  const model = findModel(request, statement, aaguid);
  const path: Certificate[] = [];
  if (leaf !== undefined) {
    const trust = checkTrust(request, statement, model);
    reasons.push(...trust.reasons);
    path.push(...trust.path);
  }
  const clues = { leaf, aaguid, firmwareVersion: request.firmwareVersion };
  const { publicKey } = attestation.authData.attested;
  return verdict(request, {
    reasons,
    aaguid,
    model,
    path,
    firmware: findFirmware(clues),
    maker: isYubico(clues) ? "yubico" : undefined,
    advisories: findAdvisories(clues, publicKey.alg === "ES256" ? ES256 : EDDSA),
  });
}

function readObject({ attestation: { format, object } }: AttestationRequest): Attestation | AttestationReason {
  try {
    const attestation = parseAttestationObject(object);
    return attestation.fmt === format ? attestation : reason("MALFORMED", "its format is not the one that is named");
  } catch (error) {
    if (!(error instanceof FidoError)) throw error;
    return reason("MALFORMED", "its object is no attestation object of a key that can sign here");
  }
}

function checkSubject(attestation: Attestation, { key }: AttestationRequest): AttestationReason[] {
  const { rpIdHash, attested } = attestation.authData;
  const reasons: AttestationReason[] = [];
  if (Buffer.compare(bytesOf(attested.publicKey), key.publicKey) !== 0) reasons.push(reason("OTHER_KEY"));
  if (Buffer.compare(rpIdHash, hash("sha256", key.application, "buffer")) !== 0)
    reasons.push(reason("OTHER_APPLICATION"));
  return reasons;
}

function findModel(
  { metadata }: AttestationRequest,
  { certificates }: StatementVerdict,
  aaguid: string | undefined,
): MetadataModel | undefined {
  return metadata?.find(aaguid, certificates.map(keyIdentifier));
}

interface Trust {
  readonly reasons: readonly AttestationReason[];
  readonly path: readonly Certificate[];
}

function checkTrust(
  { roots, metadata, time }: AttestationRequest,
  { certificates }: StatementVerdict,
  model: MetadataModel | undefined,
): Trust {
  const [leaf, ...others] = certificates;
  if (leaf === undefined || (roots === undefined && metadata === undefined))
    return { reasons: [reason("NO_ROOTS")], path: [] };
  const { path, reasons } = checkChain({
    leaf,
    intermediates: [...others, ...(roots?.intermediates ?? [])],
    anchors: [...(roots?.anchors ?? []), ...(model?.anchors ?? [])],
    time,
  });
  const isMissing = metadata !== undefined && metadata.reasons.length === 0 && model === undefined && path.length === 0;
  return {
    path,
    reasons: [
      ...(metadata?.reasons ?? []),
      ...(isMissing ? [reason("MODEL_UNKNOWN")] : []),
      ...(model?.compromises ?? []).map((status) => reason("MODEL_COMPROMISED", status)),
      ...reasons,
    ],
  };
}

interface Findings {
  readonly reasons: readonly AttestationReason[];
  readonly aaguid?: string | undefined;
  readonly model?: MetadataModel | undefined;
  readonly path?: readonly Certificate[];
  readonly firmware?: Firmware | undefined;
  readonly maker?: "yubico" | undefined;
  readonly advisories?: readonly AdvisoryFinding[];
}

const MAX_NAME = 120;

function verdict({ attestation }: AttestationRequest, findings: Findings): AttestationVerdict {
  const { reasons, aaguid, model, path = [], firmware, maker, advisories = [] } = findings;
  const listed = aaguid === undefined ? undefined : YUBICO_MODELS.get(aaguid)?.name;
  return {
    attested: reasons.length === 0,
    reasons,
    format: cleanText(attestation.format, MAX_NAME),
    aaguid,
    model: modelOf(model, listed),
    path: path.map((certificate) => cleanText(subjectName(certificate), MAX_NAME)),
    firmware,
    maker,
    advisories,
  };
}

function modelOf(model: MetadataModel | undefined, listed: string | undefined): AttestationVerdict["model"] {
  if (model !== undefined) return { name: cleanText(model.description, MAX_NAME), source: "metadata" };
  return listed === undefined ? undefined : { name: listed, source: "table" };
}

function bytesOf(key: CredentialPublicKey): Uint8Array {
  return key.alg === "ES256" ? key.point : key.key;
}
