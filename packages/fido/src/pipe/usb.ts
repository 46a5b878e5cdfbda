// The only file that knows node-hid. It is loaded when a USB key is asked for and not before, so that machines
// without libudev or libusb can use everything else.
import { access, constants, readFile } from "node:fs/promises";
import { basename } from "node:path";
import type * as NodeHid from "node-hid";
import { explain } from "../explain.ts";
import { createHidPipe } from "./hid-pipe.ts";
import { type PacketPipe, USUAL_SIZES } from "./packet-pipe.ts";
import { FIDO_USAGE, FIDO_USAGE_PAGE, parseReportDescriptor, type ReportLayout } from "./report-descriptor.ts";

export interface UsbKey {
  /** Where the system keeps the device; foreign text. */
  readonly path: string;
  /** What the device calls itself; foreign text, possibly empty. */
  readonly name: string;
}

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
  const layout = await readLayout(path);
  try {
    return createHidPipe(await hid.HIDAsync.open(path), layout);
  } catch (cause) {
    throw await explainOpenFailure(path, cause);
  }
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

const USUAL_LAYOUT: ReportLayout = { reportId: 0, sizes: USUAL_SIZES };

// Linux alone shows the report descriptor as a file. Elsewhere hidapi pads what is sent to the device's own size.
async function readLayout(path: string): Promise<ReportLayout> {
  const file = `/sys/class/hidraw/${basename(path)}/device/report_descriptor`;
  const bytes = process.platform === "linux" ? await readFile(file).catch(() => undefined) : undefined;
  return (bytes && parseReportDescriptor(bytes)) ?? USUAL_LAYOUT;
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
