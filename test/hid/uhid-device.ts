// node uhid-device.ts NAME [REPORT_BYTES]: makes the kernel show the software authenticator as a HID device, until it is killed.
import { open } from "node:fs/promises";
import { createSoftwareAuthenticator, touchAfter } from "@touchmark/fido/testing";

const [name = "software authenticator", size = "64"] = process.argv.slice(2);
const packetBytes = Number(size);

// linux/uhid.h: every event is a number and the largest of all that may follow.
const EVENT = { destroy: 1, output: 6, create2: 11, input2: 12 } as const;
const EVENT_BYTES = 4 + 4372;
const OUTPUT_SIZE_AT = 4 + 4096;

/** CTAP 2.1 section 11.2.8.1. */
const descriptor = Buffer.concat([
  Buffer.from("06d0f10901a1010920150026ff00750895", "hex"),
  Buffer.of(packetBytes),
  Buffer.from("81020921150026ff00750895", "hex"),
  Buffer.of(packetBytes),
  Buffer.from("9102c0", "hex"),
]);

const device = await open("/dev/uhid", "r+");
const authenticator = createSoftwareAuthenticator({
  touch: touchAfter(100),
  model: { packetBytes, attestation: "batch" },
});
let last: Promise<unknown> = device.write(createEvent());
const host = authenticator.attach((packet) => {
  last = last.then(() => device.write(inputEvent(packet)));
});

await last;
process.stdout.write("ready\n");
for (;;) {
  const event = Buffer.alloc(EVENT_BYTES);
  await device.read(event, 0, EVENT_BYTES, null);
  if (event.readUInt32LE(0) !== EVENT.output) continue;
  const length = event.readUInt16LE(OUTPUT_SIZE_AT);
  const report = event.subarray(4, 4 + length);
  // The report id comes along: 0 where there is none.
  host.receive(new Uint8Array(report.subarray(length - packetBytes)));
}

function createEvent(): Buffer {
  const event = Buffer.alloc(EVENT_BYTES);
  event.writeUInt32LE(EVENT.create2, 0);
  event.write(name, 4);
  const at = 4 + 128 + 64 + 64;
  event.writeUInt16LE(descriptor.length, at);
  // BUS_USB, and a vendor that is nobody.
  event.writeUInt16LE(3, at + 2);
  event.writeUInt32LE(0xf1d0, at + 4);
  event.writeUInt32LE(packetBytes, at + 8);
  event.set(descriptor, at + 20);
  return event;
}

function inputEvent(packet: Uint8Array): Buffer {
  const event = Buffer.alloc(6 + packet.length);
  event.writeUInt32LE(EVENT.input2, 0);
  event.writeUInt16LE(packet.length, 4);
  event.set(packet, 6);
  return event;
}
