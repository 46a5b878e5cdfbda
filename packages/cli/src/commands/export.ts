import { join, resolve } from "node:path";
import { compareText, encodeArmoredSignature, NAMESPACE, parseSignatures, preAuthEncoding } from "@touchmark/core";
import { nodeCrypto } from "@touchmark/log";
import { type Command, defineCommand, usageError } from "../command.ts";
import { touchmarkHome } from "../files/home.ts";
import { writeWhole } from "../files/write-file.ts";
import { readKeys } from "../keys/key-store.ts";
import { labelOf, statedAuthority } from "../statements/describe.ts";
import { readStatementFile } from "../statements/statement-file.ts";

export const exportSignatures: Command = defineCommand({
  name: "export",
  usage: "FILE.touchmark --out DIR",
  examples: ["touchmark export widget-1.0.0.tgz.touchmark --out check"],
  about: [
    "Writes the message, each signature as a .sig file and the list of allowed signers, in the forms of OpenSSH,",
    "and prints the ssh-keygen commands that check them without Touchmark.",
  ],
  flags: { out: { value: "DIR", help: "the folder for the files" } },
  operands: [1, 1],
  run: async ({ out }, [file = ""], { io, ui }) => {
    if (out === undefined) throw usageError("export", "--out is missing.");
    const { envelope, statement, digest } = readStatementFile(resolve(io.cwd, file));
    const enrolled = readKeys(touchmarkHome(io));
    const authority = statedAuthority(statement);
    const parsed = parseSignatures(nodeCrypto, envelope).map(({ key }, i) => {
      const { keyid, sig } = envelope.signatures[i]!;
      return { keyid, sig, record: key.record, principal: labelOf(keyid, authority, enrolled) };
    });
    const signatures = parsed.toSorted((a, b) => compareText(a.principal, b.principal));
    const names = distinct(signatures.map(({ principal }) => principal.replace(":", "-").replaceAll("/", "_")));
    const directory = resolve(io.cwd, out);
    await writeWhole(join(directory, "message"), preAuthEncoding(envelope.payload));
    for (const [i, { sig }] of signatures.entries())
      await writeWhole(join(directory, `${names[i]}.sig`), encodeArmoredSignature(sig));
    const allowed = signatures.map(({ principal, record }) => `${principal} namespaces="${NAMESPACE}" ${record}\n`);
    await writeWhole(join(directory, "allowed_signers"), allowed.join(""));
    const commands = signatures.map(
      ({ principal }, i) =>
        `ssh-keygen -Y verify -n ${NAMESPACE} -f allowed_signers -I ${principal} -s ${names[i]}.sig < message`,
    );
    ui.result(
      {
        ok: true,
        statement: `sha256:${digest}`,
        directory: out,
        signatures: signatures.map(({ keyid, principal }, i) => ({
          fingerprint: keyid,
          signer: principal,
          file: `${names[i]}.sig`,
          command: commands[i]!,
        })),
      },
      signatures.length === 0
        ? [`Wrote the message to ${out}; nobody has signed it yet.`]
        : [
            `Wrote ${out}. To check it without Touchmark, in that folder:`,
            ...commands.map((command) => `  ${command}`),
          ],
    );
    return 0;
  },
});

function distinct(names: string[]): string[] {
  const seen = new Map<string, number>();
  return names.map((name) => {
    const times = (seen.get(name) ?? 0) + 1;
    seen.set(name, times);
    return times === 1 ? name : `${name}-${times}`;
  });
}
