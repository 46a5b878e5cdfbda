import { isFingerprint } from "@touchmark/core";
import { type Command, defineCommand, usageError } from "../command.ts";
import { confirm } from "../confirm.ts";
import { CliError } from "../error.ts";
import { touchmarkHome } from "../files/home.ts";
import { describePackages, packagesOfKeys } from "../keys/key-packages.ts";
import { readKeys, removeKeys } from "../keys/key-store.ts";
import { isSsh } from "../keys/ssh-device.ts";
import { count, table } from "../ui.ts";

export const keyRemove: Command = defineCommand({
  name: "key remove",
  usage: "[FINGERPRINT] [--holder LABEL] [--yes]",
  examples: [
    "touchmark key remove --holder alice",
    "touchmark key remove SHA256:1p0mB7Wd8C2bSjKZlF0mV8k0c1xUQ2x3t5w5mS9Jm5A",
  ],
  about: [
    "Forgets a key, or all keys of a holder. Nothing is changed on the security key: it does not keep the credential, so there is none to remove.",
    "Claims that list the key still do. Without what is forgotten here the key can't sign any more: enrolling it again makes another one.",
  ],
  flags: {
    holder: { value: "LABEL", help: "all keys of this holder" },
    yes: { help: "don't ask" },
  },
  operands: [0, 1],
  run: async ({ holder, yes }, [fingerprint], context) => {
    const { io, ui } = context;
    if ((holder === undefined) === (fingerprint === undefined))
      throw usageError("key remove", "Either a fingerprint or --holder says which key is meant.");
    if (fingerprint !== undefined && !isFingerprint(fingerprint))
      throw usageError("key remove", "This is not a key's fingerprint.", "touchmark key list shows them.");
    const home = touchmarkHome(io);
    const removed = readKeys(home).filter((key) =>
      holder === undefined ? key.fingerprint === fingerprint : key.holder === holder,
    );
    if (removed.length === 0) {
      throw new CliError(
        "NO_KEY",
        holder === undefined ? "This key is not enrolled here." : `No key of ${holder} is enrolled here.`,
        "touchmark key list shows those that are.",
      );
    }
    for (const line of table(removed.map((key) => [key.holder, key.fingerprint, key.model.name]))) ui.progress(line);
    const packages = await packagesOfKeys(
      removed.map((key) => key.fingerprint),
      { online: false },
      context,
    );
    const signsFor = [...new Set([...packages.values()].flatMap(describePackages))];
    if (signsFor.length > 0) ui.warn("these packages list what is about to be forgotten", signsFor.join("; "));
    await confirm(yes, `Forget ${count(removed.length, "key")}?`, "Nothing was forgotten.", context);
    await removeKeys(home, new Set(removed.map((key) => key.fingerprint)));
    ui.result({ ok: true, removed: removed.map((key) => ({ holder: key.holder, fingerprint: key.fingerprint })) }, [
      `Forgot ${count(removed.length, "key")}.`,
      removed.some(({ device }) => isSsh(device))
        ? "OpenSSH's files stay, and so does a resident key that ssh-keygen has made."
        : "The security key itself needs no clearing: it never kept the credential.",
      "Claims that list the key still list it, until they are changed.",
    ]);
    return 0;
  },
});
