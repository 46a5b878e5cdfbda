import { EDDSA, ES256 } from "../ctap2/cose-key.ts";
import type { AuthenticatorInfo } from "../ctap2/info.ts";
import { type AdvisoryFinding, findAdvisories } from "./advisories.ts";
import { findFirmware, type Firmware } from "./firmware.ts";
import { YUBICO_MODELS } from "./yubikeys.ts";

/** What is known of a key by its own word: nobody vouches for any of it. */
export interface ModelDescription {
  readonly model: { readonly name: string; readonly source: "table" } | undefined;
  readonly firmware: Firmware | undefined;
  /** For a credential of any algorithm that the key has. */
  readonly advisories: readonly AdvisoryFinding[];
}

/** Describes a key by what its getInfo says, as long as it is not enrolled and so has no attestation. */
export function describeModel({ aaguid: bytes, firmwareVersion, algorithms }: AuthenticatorInfo): ModelDescription {
  const aaguid = Buffer.from(bytes).toString("hex");
  const clues = { leaf: undefined, aaguid, firmwareVersion };
  const name = YUBICO_MODELS.get(aaguid)?.name;
  // Keys that name no algorithm have ES256.
  const had = ([ES256, EDDSA] as const).filter((one) => one === ES256 || algorithms.includes(one));
  const advisories = new Map(had.flatMap((one) => findAdvisories(clues, one)).map((found) => [found.id, found]));
  return {
    model: name === undefined ? undefined : { name, source: "table" },
    firmware: findFirmware(clues),
    advisories: [...advisories.values()],
  };
}
