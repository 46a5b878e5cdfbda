import { resolve } from "node:path";
import { cleanText, type JsonObject } from "@touchmark/core";
import { type AdvisoryFinding, winkDevice } from "@touchmark/fido";
import { type Command, defineCommand } from "../command.ts";
import { touchmarkHome } from "../files/home.ts";
import { readTrust, TRUST_FLAGS } from "../keys/attestation-trust.ts";
import { type DeviceReport, type PinState, reportDevice } from "../keys/describe-device.ts";
import { normalizeDevice } from "../keys/device.ts";
import { describePackages, type PackagesOfKeys, packagesOfKeys } from "../keys/key-packages.ts";
import { readKeys } from "../keys/key-store.ts";
import { openKeys, TRACE_FLAG } from "../keys/open-key.ts";
import { count, table } from "../ui.ts";

export const keyInfo: Command = defineCommand({
  name: "key info",
  usage: "[--device D] [--roots FILE] [--online]",
  examples: ["touchmark key info", "touchmark key info --roots yubico-roots.pem"],
  about: [
    "What the security keys that are plugged in say of themselves, and what is known of them. Needs no touch and no PIN.",
    "Only the maker's certificate, which comes with enrolment, vouches for anything; all else is what the key says.",
    "The packages that a key can sign for are those whose claim lists it: by touchmark.lock, by the log (--online), or by a claim in this folder.",
  ],
  flags: {
    device: { value: "D", help: "usb (the default), udp:HOST:PORT[:LOCALPORT], or soft:FILE" },
    ...TRUST_FLAGS,
    wink: { help: "have each key show itself as it is asked, mostly by blinking; some can't" },
    online: { help: "ask the log which packages the key can sign for" },
    ...TRACE_FLAG,
  },
  operands: [0, 0],
  run: async (values, _operands, context) => {
    const { device = "usb", trace, online } = values;
    const { io, ui } = context;
    const question = { known: readKeys(touchmarkHome(io)), ...(await readTrust("key info", values, io)) };
    const opened = await openKeys({
      device: normalizeDevice(device, io),
      trace: trace === undefined ? undefined : resolve(io.cwd, trace),
    });
    const reports: DeviceReport[] = [];
    try {
      for (const key of opened) {
        if (values.wink && !(await winkDevice(key))) ui.progress(`${cleanText(key.name)} can't show itself`);
        reports.push(await reportDevice(key, question));
      }
    } finally {
      await Promise.allSettled(opened.map((key) => key.close()));
    }
    const fingerprints = reports.flatMap(({ enrolled }) => enrolled.map(({ key }) => key.fingerprint));
    const packages = await packagesOfKeys(fingerprints, { online }, context);
    ui.result(
      { ok: true, keys: reports.map((report) => reportDocument(report, packages)) },
      reports.flatMap((report, i) => [...(i > 0 ? [""] : []), ...describeReport(report, packages)]),
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

function describeReport(report: DeviceReport, packages: PackagesOfKeys): string[] {
  const { model, enrolled, advisories } = report;
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
        ...describePackages(packages.get(key.fingerprint) ?? []).map((line) => ["  signs for", line]),
      ]),
    ]),
    // A U2F key names nothing by which it could be looked up.
    ...(enrolled.length === 0 && report.aaguid === undefined
      ? ["  known faults: can be told once the key is enrolled"]
      : advisories.length === 0
        ? ["  known faults: none in Touchmark's list"]
        : []),
    ...advisories.map(
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

function reportDocument(
  { aaguid, model, firmware, firmwareNumber, enrolled, advisories, options, pin, ...rest }: DeviceReport,
  packages: PackagesOfKeys,
): JsonObject {
  return {
    ...rest,
    aaguid: aaguid ?? null,
    model: model === undefined ? null : { ...model },
    firmware: firmware === undefined ? null : { text: firmware.text, source: firmware.source },
    firmwareNumber: firmwareNumber ?? null,
    pin: { ...pin },
    options: Object.fromEntries(options.map(({ name, value }) => [name, value])),
    advisories: advisories.map(advisoryDocument),
    enrolled: enrolled.map((one) => ({
      holder: one.key.holder,
      fingerprint: one.key.fingerprint,
      attestation: one.attestation,
      advisories: one.advisories.map(advisoryDocument),
      packages: (packages.get(one.key.fingerprint) ?? []).map((known) => ({ ...known })),
    })),
  };
}

function advisoryDocument({ id, name, certainty, text }: AdvisoryFinding): JsonObject {
  return { id, name, certainty, text };
}
