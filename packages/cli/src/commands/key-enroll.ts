import { type Command, defineCommand } from "../command.ts";
import { describeKey, enrol, ENROL_FLAGS } from "../keys/enrol.ts";
import { keyDocument } from "../keys/key-store.ts";

export const keyEnroll: Command = defineCommand({
  name: "key enroll",
  usage: "--holder LABEL [--device D] [--algorithm es256|ed25519] [--uv]",
  examples: ["touchmark key enroll --holder alice"],
  about: [
    "Makes a credential on a security key and remembers it in the Touchmark home. Nothing secret leaves the key.",
    "With --device browser a page opens that takes passkeys, phones and whatever else the browser knows.",
    "Give the key card (touchmark key export) to whoever writes the claim.",
  ],
  flags: ENROL_FLAGS,
  operands: [0, 0],
  run: async (values, _operands, context) => {
    const key = await enrol("key enroll", values, context);
    context.ui.result({ ok: true, key: keyDocument(key) }, [`Enrolled a key of ${key.holder}.`, ...describeKey(key)]);
    return 0;
  },
});
