import { resolve } from "node:path";
import type { JsonObject } from "@touchmark/core";
import { readRoots } from "@touchmark/fido";
import { type Command, defineCommand } from "../command.ts";
import { touchmarkHome } from "../files/home.ts";
import { type DeviceReport, type PinState, reportDevice } from "../keys/describe-device.ts";
import { normalizeDevice } from "../keys/device.ts";
import { readKeys } from "../keys/key-store.ts";
import { openKeys, TRACE_FLAG } from "../keys/open-key.ts";
import { count, table } from "../ui.ts";

export const keyInfo: Command = defineCommand({
  name: "key info",
  usage: "[--device D] [--roots FILE]",
  examples: ["touchmark key info", "touchmark key info --roots yubico-roots.pem"],
  about: [
    "What the security keys that are plugged in say of themselves, and what is known of them. Needs no touch and no PIN.",
    "Firmware and known faults come from the attestation, so of a key that is not enrolled here they are not known.",
    "Only the maker's certificate vouches for anything; all else is what the key says.",
  ],
  flags: {
    device: { value: "D", help: "usb (the default), udp:HOST:PORT[:LOCALPORT], or soft:FILE" },
    roots: { value: "FILE", help: "certificates, or a folder of such, of the makers whom you believe" },
    ...TRACE_FLAG,
  },
  operands: [0, 0],
  run: async ({ device = "usb", roots, trace }, _operands, { io, ui }) => {
    const question = {
      known: readKeys(touchmarkHome(io)),
      roots: roots === undefined ? undefined : await readRoots(resolve(io.cwd, roots)),
      time: io.now(),
    };
    const opened = await openKeys({
      device: normalizeDevice(device, io),
      trace: trace === undefined ? undefined : resolve(io.cwd, trace),
    });
    const reports: DeviceReport[] = [];
    try {
      for (const key of opened) reports.push(await reportDevice(key, question));
    } finally {
      await Promise.allSettled(opened.map((key) => key.close()));
    }
    ui.result(
      { ok: true, keys: reports.map(reportDocument) },
      reports.flatMap((report, i) => [...(i > 0 ? [""] : []), ...describeReport(report)]),
    );
    return 0;
  },
});

const FIRMWARE_SOURCE = {
  certificate: "by the maker's certificate",
  getInfo: "by what the key says",
  aaguid: "by the model that the key names",
};
const MODEL_SOURCE = { metadata: "by the metadata", table: "by a list of models in Touchmark" };

function describeReport(report: DeviceReport): string[] {
  const { model, enrolled } = report;
  const advisories = new Map(enrolled.flatMap((one) => one.advisories.map((advisory) => [advisory.id, advisory])));
  return [
    report.name,
    ...table([
      ["  place", report.place],
      ["  protocol", report.protocol],
      ["  aaguid", report.aaguid ?? "none: the key does not name its model"],
      ["  model", model === undefined ? "not known" : `${model.name}, ${MODEL_SOURCE[model.source]}`],
      ["  firmware", describeFirmware(report)],
      ["  algorithms", report.algorithms.join(", ") || "the key does not say"],
      ["  PIN", describePin(report.pin)],
      ["  options", report.options.map(({ name, value }) => `${name}=${value ? "yes" : "no"}`).join(" ") || "none"],
      ...(enrolled.length === 0 ? [["  enrolled", "not here"]] : []),
      ...enrolled.flatMap(({ key, attestation }) => [
        ["  enrolled", `${key.holder} ${key.fingerprint}`],
        ["  attestation", attestation],
      ]),
    ]),
    ...(enrolled.length === 0 ? ["  known faults: can be told once the key is enrolled"] : []),
    ...(enrolled.length > 0 && advisories.size === 0 ? ["  known faults: none in Touchmark's list"] : []),
    ...[...advisories.values()].map(
      ({ id, name, certainty, text, fixedIn }) =>
        `  known fault: ${name} (${id}), ${certainty === "affected" ? "this key has it" : "this key may have it"}: ${text} Firmware ${fixedIn} is without it.`,
    ),
  ];
}

function describeFirmware({ firmware, firmwareNumber }: DeviceReport): string {
  if (firmware !== undefined) return `${firmware.text}, ${FIRMWARE_SOURCE[firmware.source]}`;
  return firmwareNumber === undefined ? "not known" : `${firmwareNumber}, as the key itself counts`;
}

function describePin(pin: PinState): string {
  if (pin.kind === "none") return "this key has none";
  if (pin.kind === "unset") return `not set; it takes at least ${count(pin.minLength, "character")}`;
  if (pin.retries === 0) return "locked for good; only a reset, which erases all credentials, opens the key again";
  return [
    `set, ${count(pin.retries, "attempt")} left`,
    ...(pin.replugNeeded ? ["unplug the key before the next"] : []),
    ...(pin.mustChange ? ["to be changed before it is taken"] : []),
  ].join("; ");
}

function reportDocument({
  aaguid,
  model,
  firmware,
  firmwareNumber,
  enrolled,
  options,
  pin,
  ...rest
}: DeviceReport): JsonObject {
  return {
    ...rest,
    aaguid: aaguid ?? null,
    model: model === undefined ? null : { ...model },
    firmware: firmware === undefined ? null : { text: firmware.text, source: firmware.source },
    firmwareNumber: firmwareNumber ?? null,
    pin: { ...pin },
    options: Object.fromEntries(options.map(({ name, value }) => [name, value])),
    enrolled: enrolled.map(({ key, attestation, advisories }) => ({
      holder: key.holder,
      fingerprint: key.fingerprint,
      attestation,
      advisories: advisories.map(({ id, name, certainty, text }) => ({ id, name, certainty, text })),
    })),
  };
}
