import type { DeviceDescription } from "../client/devices.ts";
import type { SoftwareAuthenticator } from "./authenticator.ts";

/** A software authenticator of this process, as `openDevice` takes it. */
export function describeSoftDevice(authenticator: SoftwareAuthenticator, label = "in memory"): DeviceDescription {
  return {
    kind: "soft",
    name: `software authenticator – NOT hardware (${label})`,
    path: label,
    openPipe: async () => authenticator.plugIn(),
  };
}
