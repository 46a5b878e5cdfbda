import { randomBytes as systemRandomBytes } from "node:crypto";
import { basename } from "node:path";
import { cleanText } from "@touchmark/core";
import { getInfo, type AuthenticatorInfo } from "../ctap2/info.ts";
import type { CtapSession } from "../ctap2/session.ts";
import { FidoError } from "../error.ts";
import { explain } from "../explain.ts";
import { CAPABILITY, type ChannelTiming, type CtapChannel, openChannel } from "../hid/channel.ts";
import { COMMAND } from "../hid/framing.ts";
import type { PacketPipe, RandomBytes } from "../pipe/packet-pipe.ts";
import { openUdpPipe } from "../pipe/udp.ts";
import { listUsbKeys, openUsbPipe } from "../pipe/usb.ts";
import { tracePipe } from "../trace/trace-pipe.ts";
import { U2F_INFO } from "../u2f/credential.ts";
import { speaksU2f } from "../u2f/messages.ts";
import { type DeviceSpec, parseDeviceSpec } from "./device-spec.ts";

/** A key that could be opened. */
export interface DeviceDescription {
  readonly kind: DeviceSpec["kind"];
  /** For people, cleaned of control characters. */
  readonly name: string;
  /** Where it is: a device file, an address, a state file. */
  readonly path: string;
  openPipe(): Promise<PacketPipe>;
}

/** A key that is open, with its abilities known. Close it when done. */
export interface FidoDevice extends CtapSession {
  readonly name: string;
  readonly kind: DeviceSpec["kind"];
  readonly path: string;
  /** `u2f`: ES256 only, no PIN, no verified user. */
  readonly protocol: "ctap2" | "u2f";
  /** Asks the key again what it can do; needed after a PIN has been set. */
  refresh(): Promise<void>;
  close(): Promise<void>;
}

/** What comes from outside of the program. */
export interface DeviceEdges {
  readonly randomBytes?: RandomBytes;
  readonly timing?: Partial<ChannelTiming>;
  /** Gets the lines of a trace of all that is said to the keys, without PINs and the like. */
  readonly trace?: ((line: string) => void) | undefined;
}

/** What `spec` (`usb`, `udp:HOST:PORT[:LOCALPORT]`, `soft:FILE`) names; none for `usb` if no key is plugged in. Throws FidoError. */
export async function listDevices(spec = "usb"): Promise<DeviceDescription[]> {
  const parsed = parseDeviceSpec(spec);
  switch (parsed.kind) {
    case "usb":
      return (await listUsbKeys()).map(({ path, name }) => ({
        kind: "usb",
        name: cleanText(name, MAX_NAME) || "security key",
        path,
        openPipe: () => openUsbPipe(path),
      }));
    case "udp": {
      const { host, port } = parsed.address;
      return [
        {
          kind: "udp",
          name: `security key at ${host}:${port}`,
          path: spec,
          openPipe: () => openUdpPipe(parsed.address),
        },
      ];
    }
    case "soft": {
      const { file } = parsed;
      const name = `software authenticator – NOT hardware (${cleanText(basename(file), MAX_NAME)})`;
      return [{ kind: "soft", name, path: file, openPipe: () => openSoftPipe(file) }];
    }
  }
}

/** Opens one key and asks what it can do. Throws FidoError. */
export async function openDevice(description: DeviceDescription, edges: DeviceEdges = {}): Promise<FidoDevice> {
  const randomBytes = edges.randomBytes ?? ((length) => new Uint8Array(systemRandomBytes(length)));
  const bare = await description.openPipe();
  const pipe = edges.trace === undefined ? bare : tracePipe(bare, edges.trace);
  try {
    const channel = await openChannel(pipe, { randomBytes, timing: edges.timing });
    const protocol = await findProtocol(channel);
    const ask = async (): Promise<AuthenticatorInfo> => (protocol === "u2f" ? U2F_INFO : await getInfo(channel));
    let info = await ask();
    const { name, kind, path } = description;
    return {
      name,
      kind,
      path,
      protocol,
      channel,
      randomBytes,
      get info() {
        return info;
      },
      async refresh() {
        info = await ask();
      },
      close: () => pipe.close(),
    };
  } catch (error) {
    await pipe.close();
    throw nobodyThere(description, error);
  }
}

/**
 * Opens all keys that `spec` names. Those that can't be opened are left out as long as one can.
 * Throws NO_DEVICE if there is none, else what the first one said.
 */
export async function openDevices(spec = "usb", edges: DeviceEdges = {}): Promise<FidoDevice[]> {
  const descriptions = await listDevices(spec);
  if (descriptions.length === 0) throw explain({ kind: "no-device" });
  const outcomes = await Promise.allSettled(descriptions.map((description) => openDevice(description, edges)));
  const open = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
  const [failed] = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason as unknown] : []));
  if (open.length === 0) throw failed;
  return open;
}

/** Has the key show itself, by blinking mostly, without anything else. false: it can't. Throws FidoError. */
export async function winkDevice(device: FidoDevice): Promise<boolean> {
  if ((device.channel.capabilities & CAPABILITY.wink) === 0) return false;
  await device.channel.call(COMMAND.wink, new Uint8Array());
  return true;
}

// CTAP2 wherever the key has it: its credentials are the same, and it can verify its user.
async function findProtocol(channel: CtapChannel): Promise<"ctap2" | "u2f"> {
  if ((channel.capabilities & CAPABILITY.cbor) !== 0) return "ctap2";
  if ((channel.capabilities & CAPABILITY.noU2f) === 0 && (await speaksU2f(channel))) return "u2f";
  throw explain({ kind: "not-fido" });
}

const MAX_NAME = 80;

// Over UDP nothing is "unplugged" before it was ever heard: then nobody listens at that address.
function nobodyThere(description: DeviceDescription, error: unknown): unknown {
  const unheard = error instanceof FidoError && (error.code === "DEVICE_GONE" || error.code === "DEVICE_SILENT");
  if (description.kind !== "udp" || !unheard) return error;
  return explain({ kind: "no-device", detail: `Nothing answers at ${description.path}.`, cause: error });
}

// Loaded only when asked for: whoever signs with a real key never runs it.
async function openSoftPipe(file: string): Promise<PacketPipe> {
  const { openSoftAuthenticator } = await import("../testing/soft-file.ts");
  return (await openSoftAuthenticator(file)).plugIn();
}
