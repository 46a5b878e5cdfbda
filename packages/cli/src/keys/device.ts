import { join, resolve } from "node:path";
import { isBrowserSpec, parseBrowserSpec, parseDeviceSpec } from "@touchmark/fido";
import type { Io } from "../io.ts";
import { isSsh, sshFileOf } from "./ssh-device.ts";

/** A device as it is remembered: files by their whole path, a page with its last slash. Throws `BAD_DEVICE_SPEC`. */
export function normalizeDevice(spec: string, { cwd, homeDirectory }: Pick<Io, "cwd" | "homeDirectory">): string {
  if (isBrowserSpec(spec)) {
    const { page } = parseBrowserSpec(spec);
    return page === null ? spec : `browser:${page}`;
  }
  if (isSsh(spec) && sshFileOf(spec) !== "") {
    const file = sshFileOf(spec);
    // Behind ssh: no shell replaces the tilde.
    return `ssh:${file.startsWith("~/") ? join(homeDirectory, file.slice(2)) : resolve(cwd, file)}`;
  }
  const parsed = parseDeviceSpec(spec);
  return parsed.kind === "soft" ? `soft:${resolve(cwd, parsed.file)}` : spec;
}

/** Whether a key that was enrolled at one device is to be looked for at another: any USB port is as good, but a page has keys of its own. */
export function isSameKind(device: string, wish: string): boolean {
  if (isBrowserSpec(device) && isBrowserSpec(wish))
    return parseBrowserSpec(device).rpId === parseBrowserSpec(wish).rpId;
  return device.split(":")[0] === wish.split(":")[0];
}

export function isSoftware(spec: string): boolean {
  return spec.startsWith("soft:");
}
