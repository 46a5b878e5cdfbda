import { cleanText, CoreError, type HeldKey, type JsonObject } from "@touchmark/core";
import { judgeHeldKey } from "@touchmark/fido/attestation";
import { nodeCrypto } from "@touchmark/log";
import { describeAttestation } from "./attestation-state.ts";
import type { Trust } from "./attestation-trust.ts";

/** Which model a key of an authority is, and who says so. */
export function describeModel(key: HeldKey, trust: Trust): { text: string; document: JsonObject } {
  const { attestation } = key;
  if (attestation === null) return { text: "not attested", document: { attested: false, name: null, reasons: [] } };
  try {
    const verdict = judgeHeldKey(nodeCrypto, { ...key, attestation }, trust);
    const name = verdict.attested && verdict.model ? cleanText(verdict.model.name) : null;
    const said = verdict.attested ? describeAttestation(verdict) : `not attested: ${describeAttestation(verdict)}`;
    const reasons = verdict.reasons.map(({ code }) => code);
    return {
      text: name === null ? said : `${name}, ${said}`,
      document: { attested: verdict.attested, name, aaguid: verdict.aaguid ?? null, reasons },
    };
  } catch (error) {
    if (!(error instanceof CoreError)) throw error;
    const { code, message } = error;
    return { text: `not attested: ${message}`, document: { attested: false, name: null, reasons: [code] } };
  }
}
