import { resolve } from "node:path";
import { parseDeviceSpec } from "@touchmark/fido";

/** A device as it is remembered: the file of a software key by its whole path. Throws `BAD_DEVICE_SPEC`. */
export function normalizeDevice(spec: string, cwd: string): string {
  const parsed = parseDeviceSpec(spec);
  return parsed.kind === "soft" ? `soft:${resolve(cwd, parsed.file)}` : spec;
}

export function isSoftware(spec: string): boolean {
  return spec.startsWith("soft:");
}
