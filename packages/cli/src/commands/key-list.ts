import { cleanText } from "@touchmark/core";
import type { AdvisoryFinding } from "@touchmark/fido";
import { type Command, defineCommand } from "../command.ts";
import { explainFailure } from "../failure.ts";
import { touchmarkHome } from "../files/home.ts";
import { readTrust, TRUST_FLAGS } from "../keys/attestation-trust.ts";
import { describePackages, type KeyPackage, packagesOfKeys } from "../keys/key-packages.ts";
import type { EnrolledKey } from "../keys/key-store.ts";
import { readKeys } from "../keys/key-store.ts";
import { table } from "../ui.ts";

export const keyList: Command = defineCommand({
  name: "key list",
  usage: "[--roots FILE] [--online]",
  examples: ["touchmark key list", "touchmark key list --roots yubico-roots.pem"],
  about: [
    "Lists the keys that were enrolled here, and the security keys that are plugged in now.",
    "A key is attested if a maker whom you believe vouches that it is hardware: --roots names the certificates.",
    "The packages that a key can sign for are those whose claim lists it: by touchmark.lock, by the log (--online), or by a claim in this folder.",
  ],
  flags: { ...TRUST_FLAGS, online: { help: "ask the log which packages the keys can sign for" } },
  operands: [0, 0],
  run: async (values, _operands, context) => {
    const { io, ui } = context;
    const trust = await readTrust("key list", values, io);
    const { checkEnrolled, describeAttestation, isSynced } = await import("../keys/attestation-state.ts");
    const enrolled = readKeys(touchmarkHome(io));
    const fingerprints = enrolled.map(({ fingerprint }) => fingerprint);
    const packages = await packagesOfKeys(fingerprints, { online: values.online }, context);
    const keys = enrolled.map((key) => {
      const verdict = checkEnrolled(key, trust);
      return {
        key,
        attested: verdict?.attested === true,
        attestation: describeAttestation(verdict),
        synced: isSynced(key),
        advisories: verdict?.advisories ?? [],
        packages: packages.get(key.fingerprint) ?? [],
      };
    });
    const plugged = await listPlugged();
    ui.result(
      {
        ok: true,
        keys: keys.map(
          ({
            key: { holder, key, fingerprint, device, model, userVerification },
            attested,
            attestation,
            synced,
            advisories,
            packages: known,
          }) => ({
            holder,
            key,
            fingerprint,
            device,
            transport: transportOf(device),
            model: { ...model },
            userVerification,
            attested,
            attestation,
            synced: synced ?? null,
            advisories: advisories.map(({ id, name, certainty }) => ({ id, name, certainty })),
            packages: known.map((one) => ({ ...one })),
          }),
        ),
        devices: plugged.devices.map(({ name, path }) => ({ name, path })),
        ...(plugged.problem === undefined ? {} : { problem: plugged.problem }),
      },
      [
        ...(keys.length === 0
          ? ["No key is enrolled here."]
          : table([
              ["HOLDER", "FINGERPRINT", "TYPE", "OVER", "ATTESTED", "SYNCED", "DEVICE"],
              ...keys.map(({ key, attested, attestation, synced }) => [
                key.holder,
                key.fingerprint,
                typeOf(key),
                transportOf(key.device),
                attested ? attestation.replace("attested", "yes,") : `no: ${attestation}`,
                synced === undefined ? "unknown" : synced ? "yes" : "no",
                cleanText(key.model.name),
              ]),
            ])),
        ...underEach(keys),
        "",
        ...(plugged.devices.length === 0
          ? [plugged.problem ?? "No security key is plugged in."]
          : [
              "Plugged in:",
              ...table(plugged.devices.map(({ name, path }) => [`  ${cleanText(name)}`, cleanText(path)])),
            ]),
      ],
    );
    return 0;
  },
});

function underEach(
  keys: readonly { key: EnrolledKey; packages: readonly KeyPackage[]; advisories: readonly AdvisoryFinding[] }[],
): string[] {
  const faults = keys.flatMap(({ key, advisories }) =>
    advisories.map(({ id, name, certainty }) => [
      `  ${key.holder}`,
      key.fingerprint,
      `${name} (${id})${certainty === "affected" ? "" : ", perhaps"}`,
    ]),
  );
  const packages = keys.flatMap(({ key, packages: known }) =>
    describePackages(known).map((line) => [`  ${key.holder}`, key.fingerprint, line]),
  );
  return [
    ...(faults.length === 0 ? [] : ["", "Known faults:", ...table(faults)]),
    ...(packages.length === 0 ? [] : ["", "Can sign for:", ...table(packages)]),
  ];
}

function typeOf({ key }: EnrolledKey): string {
  return key.startsWith("sk-ecdsa") ? "es256" : "ed25519";
}

// The kind of device is the way to it: usb, udp, soft.
function transportOf(device: string): string {
  return device.split(":")[0]!;
}

// A machine without the USB library still has its list of enrolled keys.
async function listPlugged(): Promise<{ devices: { name: string; path: string }[]; problem?: string }> {
  const { listDevices } = await import("@touchmark/fido");
  try {
    const devices = await listDevices("usb");
    return { devices: devices.map(({ name, path }) => ({ name, path })) };
  } catch (error) {
    return { devices: [], problem: explainFailure(error).message };
  }
}
