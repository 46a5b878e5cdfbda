import { cleanText } from "@touchmark/core";
import { type Command, defineCommand } from "../command.ts";
import { explainFailure } from "../failure.ts";
import { touchmarkHome } from "../files/home.ts";
import { readKeys } from "../keys/key-store.ts";
import { table } from "../ui.ts";

export const keyList: Command = defineCommand({
  name: "key list",
  usage: "",
  examples: ["touchmark key list"],
  about: ["Lists the keys that were enrolled here, and the security keys that are plugged in now."],
  flags: {},
  operands: [0, 0],
  run: async (_values, _operands, { io, ui }) => {
    const keys = readKeys(touchmarkHome(io));
    const plugged = await listPlugged();
    ui.result(
      {
        ok: true,
        keys: keys.map(({ holder, key, fingerprint, device, model, userVerification }) => ({
          holder,
          key,
          fingerprint,
          device,
          model: { ...model },
          userVerification,
        })),
        devices: plugged.devices.map(({ name, path }) => ({ name, path })),
        ...(plugged.problem === undefined ? {} : { problem: plugged.problem }),
      },
      [
        ...(keys.length === 0
          ? ["No key is enrolled here."]
          : table([
              ["HOLDER", "FINGERPRINT", "TYPE", "DEVICE"],
              ...keys.map(({ holder, fingerprint, key, model }) => [
                holder,
                fingerprint,
                key.startsWith("sk-ecdsa") ? "es256" : "ed25519",
                cleanText(model.name),
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
