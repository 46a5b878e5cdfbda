import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { resolve } from "node:path";
import { parseBase64, parseKey } from "@touchmark/core";
import { type Command, type Context, defineCommand, usageError } from "../command.ts";
import { CliError } from "../error.ts";
import { touchmarkHome } from "../files/home.ts";
import { writeNew, writeWhole } from "../files/write-file.ts";
import { encodeCard } from "../keys/key-card.ts";
import { type EnrolledKey, readKeys } from "../keys/key-store.ts";
import { encodeOpensshKey } from "../keys/openssh-key.ts";
import { count } from "../ui.ts";

export const keyExport: Command = defineCommand({
  name: "key export",
  usage: "[--holder LABEL] [--key FINGERPRINT] [--out FILE | --ssh FILE]",
  examples: [
    "touchmark key export --holder alice --out alice.card",
    "touchmark key export --holder alice --ssh id_touchmark",
  ],
  about: [
    "Writes the key card: one JSON line for each key, with its holder, its key record and its attestation.",
    "With --ssh: writes one key as an OpenSSH private key FILE and FILE.pub, so that ssh-keygen signs with the same credential.",
    "Neither holds a secret that signs without the security key.",
  ],
  flags: {
    holder: { value: "LABEL", help: "only this holder's keys" },
    key: { value: "FINGERPRINT", help: "only this key" },
    out: { value: "FILE", help: "where to; standard output when left out" },
    ssh: { value: "FILE", help: "one key for OpenSSH; no file that is there is overwritten" },
  },
  operands: [0, 0],
  run: async ({ holder, key: fingerprint, out, ssh }, _operands, context) => {
    if (out !== undefined && ssh !== undefined) throw usageError("key export", "--out and --ssh do not go together.");
    const keys = readKeys(touchmarkHome(context.io)).filter(
      (key) =>
        (holder === undefined || key.holder === holder) &&
        (fingerprint === undefined || key.fingerprint === fingerprint),
    );
    if (keys.length === 0) {
      const whose = holder === undefined ? "No key is enrolled here." : `No key of ${holder} is enrolled here.`;
      throw new CliError(
        "NO_KEY",
        fingerprint === undefined ? whose : "This key is not enrolled here.",
        "Enrol one with: touchmark key enroll --holder LABEL",
      );
    }
    if (ssh === undefined) await exportCard(keys, out, context);
    else await exportForSsh(keys, ssh, context);
    return 0;
  },
});

async function exportCard(keys: EnrolledKey[], out: string | undefined, { io, ui }: Context): Promise<void> {
  const lines = encodeCard(keys);
  const cards = keys.map(({ holder, key, attestation }) => ({
    holder,
    key,
    ...(attestation && { attestation: { ...attestation } }),
  }));
  if (out === undefined) {
    ui.result({ ok: true, keys: cards }, lines);
    return;
  }
  await writeWhole(resolve(io.cwd, out), lines.map((line) => `${line}\n`).join(""));
  ui.result({ ok: true, file: out, keys: cards }, [`Wrote ${count(keys.length, "key")} to ${out}.`]);
}

async function exportForSsh(keys: EnrolledKey[], file: string, { io, ui }: Context): Promise<void> {
  const usable = keys.filter(({ credentialId }) => credentialId !== "");
  const [key] = usable;
  if (key === undefined)
    throw new CliError("NO_KEY", "OpenSSH has this key already.", "touchmark key list says where.");
  if (usable.length > 1)
    throw new CliError("SEVERAL_KEYS", "An OpenSSH file holds one key, and several are meant.", "Choose with --key.");
  const path = resolve(io.cwd, file);
  const comment = `touchmark ${key.holder}`;
  const secret = encodeOpensshKey(
    {
      key: parseKey(key.key),
      handle: parseBase64(key.credentialId),
      userVerification: key.userVerification,
      comment,
    },
    randomBytes(4).readUInt32BE(),
  );
  await writeNew(`${path}.pub`, `${key.key} ${comment}\n`);
  try {
    await writeNew(path, secret, 0o600);
  } catch (error) {
    await rm(`${path}.pub`);
    throw error;
  }
  ui.result({ ok: true, file, fingerprint: key.fingerprint }, [
    `Wrote ${file} and ${file}.pub.`,
    `It signs with: ssh-keygen -Y sign -n touchmark -f ${file} MESSAGE`,
  ]);
}
