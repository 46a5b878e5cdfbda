import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { cleanText, encodeEnvelope, encodePackageId, isPackageName, parsePackageId } from "@touchmark/core";
import { type Command, type Context, defineCommand, usageError } from "../command.ts";
import { CliError } from "../error.ts";
import { loadPolicy } from "../files/policy-file.ts";
import { writeWhole } from "../files/write-file.ts";
import { type CardKey, readCard } from "../keys/key-card.ts";
import { type EarlierVersions, fetchEarlierVersions } from "../registry/earlier-versions.ts";
import { describeStatement } from "../statements/describe.ts";
import { chooseRegistry } from "../statements/choose-registry.ts";
import { draftAuthority, draftClaim, encodeEarlierFile } from "../statements/draft-claim.ts";
import { unsignedStatement } from "../statements/statement-file.ts";

export const claim: Command = defineCommand({
  name: "claim",
  usage: "PACKAGE… --key CARD… --threshold M --out FILE.touchmark [--recovery-key CARD… --recovery-threshold N]",
  examples: [
    "touchmark claim @acme/widget --key alice.card --key bob.card --key carol.card --threshold 2 --out widget.claim.touchmark",
  ],
  about: [
    "Writes a claim that nobody has signed yet, and beside it FILE.touchmark.earlier: the versions published so far with their sha512,",
    "read from the registry. Every key that it lists then signs it with touchmark sign, and anyone submits it.",
    "PACKAGE is a name in the policy's registry, or a full package id (npm:<registry>/<name>).",
  ],
  flags: {
    key: { value: "CARD", many: true, help: "a key card of a holder" },
    threshold: { value: "M", help: "how many holders a release needs" },
    "change-threshold": {
      value: "C",
      help: "how many holders a change of this needs; the greater of M and a majority when left out",
    },
    "recovery-key": { value: "CARD", many: true, help: "a key card of keys that only recover" },
    "recovery-threshold": { value: "N", help: "how many of their holders a recovery needs" },
    uv: { help: "every signature needs PIN or fingerprint" },
    "device-bound": { help: "no passkeys that can be copied" },
    adoption: {
      value: "MODE",
      help: "whether others may adopt the package when it is orphaned: ask (the default), open or never",
    },
    "no-earlier": { help: "nothing was published so far: don't ask the registry" },
    registry: { value: "NAME", help: "the registry, where the policy names several" },
    out: { value: "FILE", help: "the claim; its name ends in .touchmark" },
  },
  operands: [1, 500],
  run: async (values, operands, context) => {
    const { io, ui } = context;
    const { out } = values;
    if (out === undefined || !out.endsWith(".touchmark"))
      throw usageError("claim", "--out FILE.touchmark is missing, or does not end in .touchmark.");
    if (values.key.length === 0)
      throw usageError("claim", "--key is missing.", "A holder makes a card with: touchmark key export --out FILE");
    const keys = readCards(values.key, context);
    const recoveryKeys = readCards(values["recovery-key"], context);
    refuseTwice([...keys, ...recoveryKeys]);
    const authority = draftAuthority(values, keys, recoveryKeys);
    const policy = loadPolicy(context);
    const packages = operands.map((operand) =>
      readPackage(operand, () => chooseRegistry(policy, values.registry), io.cwd),
    );
    const earlier = new Map<string, EarlierVersions>();
    for (const packageId of packages.toSorted()) {
      if (earlier.has(packageId)) throw usageError("claim", `${packageId} stands twice.`);
      earlier.set(packageId, values["no-earlier"] ? [] : await fetchEarlierVersions(packageId, policy, io, ui));
    }
    const drafted = unsignedStatement(draftClaim(policy.log.origin, earlier, authority));
    const file = resolve(io.cwd, out);
    await writeWhole(`${file}.earlier`, encodeEarlierFile(earlier));
    await writeWhole(file, encodeEnvelope(drafted.envelope));
    const digest = drafted.statement.kind === "claim" ? drafted.statement.authority.digest : "";
    ui.result(
      {
        ok: true,
        file: out,
        earlier: `${out}.earlier`,
        statement: `sha256:${drafted.digest}`,
        authority: digest,
        packages: Object.fromEntries([...earlier].map(([packageId, versions]) => [packageId, versions.length])),
      },
      [
        ...describeStatement(drafted.statement, drafted.digest, []),
        "",
        `Wrote ${out} and ${out}.earlier.`,
        `Next: every key listed signs it, with: touchmark sign ${out}`,
      ],
    );
    return 0;
  },
});

function readCards(files: readonly string[], { io }: Context): CardKey[] {
  const keys: CardKey[] = [];
  for (const file of files) keys.push(...readCard(resolve(io.cwd, file)));
  return keys;
}

function refuseTwice(keys: CardKey[]): void {
  const seen = new Set<string>();
  for (const { fingerprint, holder } of keys) {
    if (seen.has(fingerprint)) throw usageError("claim", `A key of ${holder} stands twice: ${fingerprint}.`);
    seen.add(fingerprint);
  }
}

function readPackage(typed: string, registry: () => string, cwd: string): string {
  if (existsSync(resolve(cwd, typed))) {
    const hint =
      "Key cards are named with --key, once for each. A package is named npm:<registry>/<name> where a file has its name.";
    throw new CliError("USAGE", `${cleanText(typed, 80)} is a file, not a package.`, hint);
  }
  if (typed.startsWith("npm:")) {
    parsePackageId(typed);
    return typed;
  }
  if (!isPackageName(typed)) {
    throw new CliError(
      "USAGE",
      `"${cleanText(typed, 80)}" is not a package's name.`,
      "Key cards are named with --key, once for each.",
    );
  }
  return encodePackageId({ registry: registry(), name: typed });
}
