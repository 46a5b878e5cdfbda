// How a key is enrolled where nobody said: over USB if that can be, else in the browser, else with a key of OpenSSH's.
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { cleanText } from "@touchmark/core";
import { FidoError, listDevices, openDevice } from "@touchmark/fido";
import type { Context } from "../command.ts";
import type { Io } from "../io.ts";
import type { EnrolledKey } from "./key-store.ts";
import { readPublicKeyFile } from "./ssh-device.ts";

/** What can be said of security keys at this machine's ports. */
export type UsbReach =
  | { kind: "plugged"; name: string }
  | { kind: "none" }
  /** The system, or a library that is missing, stands between. */
  | { kind: "unreachable"; why: string };

export interface Surroundings {
  usb: UsbReach;
  platform: NodeJS.Platform;
  /** A browser can be opened where the person is, and the key may be of the kind that browsers make. */
  canBrowse: boolean;
  /** The file of OpenSSH's key, by its whole path. */
  sshKey: string | undefined;
}

/** A device as `--device` takes it, and why; or a question that only the person can answer. */
export type Way = { kind: "device"; device: string; because: string } | { kind: "usb or browser" };

/** The best way by what is there. */
export function decideWay({ usb, platform, canBrowse, sshKey }: Surroundings): Way {
  if (usb.kind === "plugged") return along("usb", `${usb.name} is plugged in`);
  const windows = platform === "win32";
  if (usb.kind === "none" && !windows)
    return canBrowse ? { kind: "usb or browser" } : along("usb", "no security key is plugged in yet");
  const why = usb.kind === "unreachable" ? usb.why : "Windows lets only administrators talk to a security key directly";
  if (canBrowse) return along("browser", why);
  if (sshKey !== undefined) return along(`ssh:${sshKey}`, `${why}, and there is no browser here`);
  return along("usb", why);
}

/** The device for a new key, after telling the person which and why. */
export async function chooseDevice(
  { known, browserWillDo }: { known: readonly EnrolledKey[]; browserWillDo: boolean },
  { io, ui }: Context,
): Promise<string> {
  const sshKey = await findSshKey(io, known);
  const way = decideWay({
    usb: await reachUsb(io),
    platform: io.platform,
    canBrowse: browserWillDo && hasBrowser(io),
    sshKey,
  });
  if (sshKey !== undefined && !(way.kind === "device" && way.device.startsWith("ssh:")))
    ui.progress(`OpenSSH has a security key here; to take that one: --device ssh:${cleanText(sshKey)}`);
  if (way.kind === "device") {
    ui.progress(`enrolling with --device ${cleanText(way.device)}: ${cleanText(way.because)}`);
    return way.device;
  }
  const wantsBrowser =
    io.isTerminal.stdin &&
    (await io.askConfirm("No security key is plugged in. Use the browser instead (Touch ID, a phone, a passkey)?"));
  ui.progress(`enrolling with --device ${wantsBrowser ? "browser" : "usb"}`);
  return wantsBrowser ? "browser" : "usb";
}

function along(device: string, because: string): Way {
  return { kind: "device", device, because };
}

async function reachUsb({ watch }: Io): Promise<UsbReach> {
  try {
    const found = await (watch?.list ?? listDevices)("usb");
    let refused: FidoError | undefined;
    for (const description of found) {
      try {
        await (await openDevice(description, watch)).close();
        return { kind: "plugged", name: description.name };
      } catch (error) {
        if (!(error instanceof FidoError)) throw error;
        // Other troubles pass, or are that key's own: whoever uses it will be told.
        if (error.code !== "NO_PERMISSION") return { kind: "plugged", name: description.name };
        refused = error;
      }
    }
    return refused === undefined ? { kind: "none" } : { kind: "unreachable", why: sentence(refused) };
  } catch (error) {
    if (error instanceof FidoError) return { kind: "unreachable", why: sentence(error) };
    throw error;
  }
}

function sentence({ message }: FidoError): string {
  return message.replace(/\.$/, "");
}

function hasBrowser(io: Io): boolean {
  const { platform, env, isTerminal } = io;
  if (io.openUrl === undefined || !isTerminal.stderr || env["SSH_CONNECTION"] !== undefined) return false;
  const hasScreen = env["DISPLAY"] !== undefined || env["WAYLAND_DISPLAY"] !== undefined;
  return platform === "darwin" || platform === "win32" || hasScreen;
}

/** The security key with which git signs, or that OpenSSH uses by default; not one that is enrolled already. */
async function findSshKey(io: Io, known: readonly EnrolledKey[]): Promise<string | undefined> {
  const usual = ["id_ed25519_sk", "id_ecdsa_sk"].map((name) => join(io.homeDirectory, ".ssh", name));
  const ofGit = await gitSigningKey(io);
  return [...(ofGit === undefined ? [] : [ofGit]), ...usual].find((file) => {
    const record = recordOf(file);
    return record !== undefined && !known.some(({ key }) => key === record);
  });
}

async function gitSigningKey(io: Io): Promise<string | undefined> {
  const { cwd, homeDirectory } = io;
  if ((await io.gitConfig?.("gpg.format")) !== "ssh") return undefined;
  const named = await io.gitConfig?.("user.signingkey");
  // git takes a key itself as well; only a file can be signed with by its name.
  if (named === undefined || named === "" || /^(?:key::|ssh-|sk-)/.test(named)) return undefined;
  const file = named.startsWith("~/") ? join(homeDirectory, named.slice(2)) : resolve(cwd, named);
  const bare = file.replace(/\.pub$/, "");
  return existsSync(bare) ? bare : file;
}

// Most keys of OpenSSH's are in software, and most files are none: neither is a trouble here.
function recordOf(file: string): string | undefined {
  try {
    return readPublicKeyFile(file).record;
  } catch {
    return undefined;
  }
}
