import { explain } from "../explain.ts";
import type { PacketPipe } from "./packet-pipe.ts";
import type { ReportLayout } from "./report-descriptor.ts";

/** An open HID device, as node-hid's HIDAsync is one. */
export interface HidHandle {
  write(report: Buffer): Promise<number>;
  on(event: "data", listener: (data: Buffer) => void): unknown;
  on(event: "error", listener: (cause: unknown) => void): unknown;
  close(): Promise<void>;
}

/** Carries a key's packets over HID reports. */
export function createHidPipe(device: HidHandle, { reportId, sizes }: ReportLayout): PacketPipe {
  let onGone: ((cause: unknown) => void) | undefined;
  let state: "open" | "closed" | "gone" = "open";

  device.on("error", (cause: unknown) => {
    if (state !== "open") return;
    state = "gone";
    void device.close().catch(() => undefined);
    onGone?.(cause);
  });

  return {
    sizes,
    async send(packet) {
      if (state !== "open") throw explain({ kind: "gone" });
      // The report id goes first on every platform, 0 where the reports have none: Linux alone hides it when it is forgotten.
      const report = Buffer.alloc(1 + packet.length);
      report[0] = reportId;
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
        // What comes in begins with its id only where reports have one.
        if (reportId === 0) listener(new Uint8Array(data));
        else if (data[0] === reportId) listener(new Uint8Array(data.subarray(1)));
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
