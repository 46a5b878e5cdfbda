import { FidoError } from "../error.ts";
import type { UdpAddress } from "../pipe/udp.ts";

export type DeviceSpec =
  | { readonly kind: "usb" }
  | { readonly kind: "udp"; readonly address: UdpAddress }
  | { readonly kind: "soft"; readonly file: string };

const UDP = /^udp:(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+)):([0-9]{1,5})(?::([0-9]{1,5}))?$/;

/** Reads `usb`, `udp:HOST:PORT[:LOCALPORT]` (IPv6 hosts in brackets) or `soft:FILE`. Throws BAD_DEVICE_SPEC. */
export function parseDeviceSpec(text: string): DeviceSpec {
  if (text === "usb") return { kind: "usb" };
  if (text.startsWith("soft:") && text.length > "soft:".length)
    return { kind: "soft", file: text.slice("soft:".length) };
  const match = UDP.exec(text);
  const host = match?.[1] ?? match?.[2];
  if (match === null || host === undefined) throw bad();
  const port = parsePort(match[3]);
  return {
    kind: "udp",
    address: match[4] === undefined ? { host, port } : { host, port, localPort: parsePort(match[4]) },
  };
}

function parsePort(text: string | undefined): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw bad();
  return port;
}

function bad(): FidoError {
  return new FidoError("BAD_DEVICE_SPEC", "The device is not named in a way that can be understood.", {
    hint: "Say usb, browser, browser:https://HOST/, ssh:FILE, udp:HOST:PORT, udp:HOST:PORT:LOCALPORT or soft:FILE.",
  });
}
