// The only file that knows node-hid. It is loaded when a USB key is asked for and not before, so that machines
// without libudev or libusb can use everything else.
import { access, constants } from "node:fs/promises";
import type * as NodeHid from "node-hid";
import { explain } from "../explain.ts";
import type { PacketPipe } from "./packet-pipe.ts";

export interface UsbKey {
  /** Where the system keeps the device; foreign text. */
  readonly path: string;
  /** What the device calls itself; foreign text, possibly empty. */
  readonly name: string;
}

const FIDO_USAGE_PAGE = 0xf1d0;
const FIDO_USAGE = 1;

/** All security keys that are plugged in. Throws LIBRARY_MISSING. */
export async function listUsbKeys(): Promise<UsbKey[]> {
  const hid = await loadNodeHid();
  const devices = await hid.devicesAsync();
  return devices
    .filter((device) => device.usagePage === FIDO_USAGE_PAGE && device.usage === FIDO_USAGE)
    .flatMap(({ path, manufacturer, product }) =>
      path === undefined ? [] : [{ path, name: [manufacturer, product].filter(Boolean).join(" ") }],
    );
}

/** Throws LIBRARY_MISSING, NO_PERMISSION, DEVICE_GONE or DEVICE_BUSY. */
export async function openUsbPipe(path: string): Promise<PacketPipe> {
  const hid = await loadNodeHid();
  let device: NodeHid.HIDAsync;
  try {
    device = await hid.HIDAsync.open(path);
  } catch (cause) {
    throw await explainOpenFailure(path, cause);
  }
  let onGone: ((cause: unknown) => void) | undefined;
  let state: "open" | "closed" | "gone" = "open";

  device.on("error", (cause: unknown) => {
    if (state !== "open") return;
    state = "gone";
    void device.close().catch(() => undefined);
    onGone?.(cause);
  });

  return {
    async send(packet) {
      if (state !== "open") throw explain({ kind: "gone" });
      // Report id 0 goes first everywhere; Linux alone hides it when it is forgotten.
      const report = Buffer.alloc(packet.length + 1);
      report.set(packet, 1);
      try {
        await device.write(report);
      } catch (cause) {
        throw explain({ kind: "gone", cause });
      }
    },
    // Events, never read(timeout): that would block write for its whole time, and CANCEL could not be sent.
    onPacket(listener) {
      device.on("data", (data: Buffer) => {
        listener(new Uint8Array(data));
      });
    },
    onGone(listener) {
      onGone = listener;
    },
    async close() {
      if (state !== "open") return;
      state = "closed";
      await device.close();
    },
  };
}

async function loadNodeHid(): Promise<Omit<typeof NodeHid, "default">> {
  try {
    const loaded = await import("node-hid");
    loaded.default.getHidapiVersion();
    return loaded.default;
  } catch (cause) {
    throw explain({ kind: "library-missing", cause });
  }
}

// node-hid says no more than "cannot open device"; the file itself tells why.
async function explainOpenFailure(path: string, cause: unknown): Promise<Error> {
  if (process.platform === "win32") return explain({ kind: "no-permission", path, cause });
  if (!path.startsWith("/")) return explain({ kind: "busy", cause });
  try {
    await access(path, constants.R_OK | constants.W_OK);
    return explain({ kind: "busy", cause });
  } catch (problem) {
    const missing = problem instanceof Error && "code" in problem && problem.code === "ENOENT";
    return explain(missing ? { kind: "gone", cause } : { kind: "no-permission", path, cause });
  }
}
