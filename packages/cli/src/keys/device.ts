import { join, resolve } from "node:path";
import { parseDeviceSpec } from "@touchmark/fido";
import type { Io } from "../io.ts";
import { isSsh, sshFileOf } from "./ssh-device.ts";

/** A device as it is remembered: files by their whole path. Throws `BAD_DEVICE_SPEC`. */
export function normalizeDevice(spec: string, { cwd, homeDirectory }: Pick<Io, "cwd" | "homeDirectory">): string {
  if (isSsh(spec) && sshFileOf(spec) !== "") {
    const file = sshFileOf(spec);
    // Behind ssh: no shell replaces the tilde.
    return `ssh:${file.startsWith("~/") ? join(homeDirectory, file.slice(2)) : resolve(cwd, file)}`;
  }
  const parsed = parseDeviceSpec(spec);
  return parsed.kind === "soft" ? `soft:${resolve(cwd, parsed.file)}` : spec;
}

export function isSoftware(spec: string): boolean {
  return spec.startsWith("soft:");
}
