import { resolve } from "node:path";
import { encodeBase64, parseUtf8, USB_APPLICATION } from "@touchmark/core";
import { type Command, defineCommand, usageError } from "../command.ts";
import { CliError } from "../error.ts";
import { touchmarkHome } from "../files/home.ts";
import { readWhole } from "../files/read-file.ts";
import { normalizeDevice } from "../keys/device.ts";
import { describeKey, readHolder } from "../keys/enrol.ts";
import { foreignKey } from "../keys/enrol-ssh.ts";
import { addKey, keyDocument, readKeys } from "../keys/key-store.ts";
import { parseOpensshKey } from "../keys/openssh-key.ts";
import { isSsh } from "../keys/ssh-device.ts";

const MAX_FILE = 64 * 1024;

export const keyImport: Command = defineCommand({
  name: "key import",
  usage: "--ssh FILE --holder LABEL [--device D]",
  examples: ["touchmark key import --ssh ~/.ssh/id_touchmark --holder alice"],
  about: [
    "Takes over a key from an OpenSSH private key file, so that Touchmark talks to the security key itself.",
    "The way back from touchmark key export --ssh; of other keys it takes those made with -O application=ssh:touchmark.",
    "Such a key has no attestation.",
  ],
  flags: {
    ssh: { value: "FILE", help: "the private key file of a security key, without a passphrase" },
    holder: { value: "LABEL", help: "the person who holds the key" },
    device: { value: "D", help: "where the key is: usb (the default), udp:HOST:PORT[:LOCALPORT], or soft:FILE" },
  },
  operands: [0, 0],
  run: async (values, _operands, { io, ui }) => {
    if (values.ssh === undefined) throw usageError("key import", "--ssh is missing.");
    const holder = readHolder("key import", values.holder);
    const device = normalizeDevice(values.device ?? "usb", io);
    if (isSsh(device)) throw usageError("key import", "touchmark key enroll --device ssh:FILE needs no import.");
    const found = parseOpensshKey(parseUtf8(readWhole(resolve(io.cwd, values.ssh), MAX_FILE)));
    if (found.key.application !== USB_APPLICATION) {
      throw new CliError(
        "SSH_KEY_MALFORMED",
        `The key is made for "${found.key.application}", not for "${USB_APPLICATION}".`,
        "touchmark key enroll --device ssh:FILE takes it as it is.",
      );
    }
    const home = touchmarkHome(io);
    const key = foreignKey({
      holder,
      record: found.key.record,
      device,
      credentialId: encodeBase64(found.handle),
      userVerification: found.userVerification,
      known: readKeys(home),
    });
    await addKey(home, key);
    ui.result({ ok: true, key: keyDocument(key) }, [
      `Imported a key of ${holder}.`,
      ...describeKey(key),
      `Whether it works is seen with: touchmark key test --holder ${holder}`,
    ]);
    return 0;
  },
});
