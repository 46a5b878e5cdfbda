import type { Certificate } from "./certificate.ts";
import { DerError, readDer, TAG } from "./der.ts";
import { YUBICO, YUBICO_FIRMWARE, YUBICO_MODELS } from "./yubikeys.ts";

/** The firmware of a key, as far as it is known, and from where. */
export interface Firmware {
  /** `5.4.3`; from the AAGUID only lines of versions, `5.2 or 5.4`. */
  readonly text: string;
  /** Every version that it may be, as far as it is known: `5.4.3`, or `5.2` and `5.4`. */
  readonly versions: readonly string[];
  /** Only the certificate is vouched for by the maker. getInfo is what the key says; the AAGUID stands for a model. */
  readonly source: "certificate" | "getInfo" | "aaguid";
}

export interface FirmwareClues {
  readonly leaf: Certificate | undefined;
  /** 32 hex digits. */
  readonly aaguid: string | undefined;
  /** What getInfo said at enrolment. */
  readonly firmwareVersion: number | undefined;
}

/** Whether the key says, or its certificate, that Yubico made it: nobody else's firmware is read here. */
export function isYubico({ leaf, aaguid }: FirmwareClues): boolean {
  const named = [...(leaf?.extensions.keys() ?? [])].some((oid) => oid.startsWith(YUBICO));
  return named || (aaguid !== undefined && YUBICO_MODELS.has(aaguid));
}

/** The firmware by the best source there is [K-23]; undefined if it can't be told. */
export function findFirmware(clues: FirmwareClues): Firmware | undefined {
  if (!isYubico(clues)) return undefined;
  const certified = clues.leaf === undefined ? undefined : readExtension(clues.leaf);
  if (certified !== undefined) return { text: certified, versions: [certified], source: "certificate" };
  const { firmwareVersion } = clues;
  if (firmwareVersion !== undefined && firmwareVersion <= 0xffffff) {
    const text = [firmwareVersion >> 16, (firmwareVersion >> 8) & 0xff, firmwareVersion & 0xff].join(".");
    return { text, versions: [text], source: "getInfo" };
  }
  const model = clues.aaguid === undefined ? undefined : YUBICO_MODELS.get(clues.aaguid);
  if (model === undefined) return undefined;
  return { text: model.firmware.join(" or "), versions: model.firmware, source: "aaguid" };
}

function readExtension(leaf: Certificate): string | undefined {
  const extension = leaf.extensions.get(YUBICO_FIRMWARE);
  if (extension === undefined) return undefined;
  try {
    const { content } = readDer(extension.value, TAG.octetString);
    return content.length === 3 ? content.join(".") : undefined;
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}
