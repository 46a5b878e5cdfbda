import { resolve } from "node:path";
import { cleanText } from "@touchmark/core";
import { type Command, defineCommand } from "../command.ts";
import { explainFailure } from "../failure.ts";
import { touchmarkHome } from "../files/home.ts";
import type { EnrolledKey } from "../keys/key-store.ts";
import { readKeys } from "../keys/key-store.ts";
import { table } from "../ui.ts";

export const keyList: Command = defineCommand({
  name: "key list",
  usage: "[--roots FILE]",
  examples: ["touchmark key list", "touchmark key list --roots yubico-roots.pem"],
  about: [
    "Lists the keys that were enrolled here, and the security keys that are plugged in now.",
    "A key is attested if a maker whom you believe vouches that it is hardware: --roots names the certificates.",
  ],
  flags: { roots: { value: "FILE", help: "certificates, or a folder of such, of the makers whom you believe" } },
  operands: [0, 0],
  run: async ({ roots: rootsFile }, _operands, { io, ui }) => {
    const { readRoots } = await import("@touchmark/fido");
    const roots = rootsFile === undefined ? undefined : await readRoots(resolve(io.cwd, rootsFile));
    const { checkEnrolled, describeAttestation, isSynced } = await import("../keys/attestation-state.ts");
    const keys = readKeys(touchmarkHome(io)).map((key) => {
      const verdict = checkEnrolled(key, { roots, time: io.now() });
      return {
        key,
        attested: verdict?.attested === true,
        attestation: describeAttestation(verdict),
        synced: isSynced(key),
      };
    });
    const plugged = await listPlugged();
    ui.result(
      {
        ok: true,
        keys: keys.map(
          ({ key: { holder, key, fingerprint, device, model, userVerification }, attested, attestation, synced }) => ({
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
                attested ? "yes" : `no: ${attestation}`,
                synced === undefined ? "unknown" : synced ? "yes" : "no",
                cleanText(key.model.name),
              ]),
            ])),
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
