import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { encodePackageId, isObject, isPackageName, isVersion, parseJson } from "@touchmark/core";
import { parseIntegrity } from "@touchmark/verify";
import { statusOfFile } from "../../authority/file-status.ts";
import { CARRIER_FLAGS } from "../../carriers/carrier.ts";
import { type Command, type Context, defineCommand, usageError } from "../../command.ts";
import { CliError } from "../../error.ts";
import { loadPolicy } from "../../files/policy-file.ts";
import { readWhole } from "../../files/read-file.ts";
import { chooseRegistry } from "../../statements/choose-registry.ts";
import { openRelease } from "./open-release.ts";
import { requireQuorum } from "./require-quorum.ts";

const MAX_MANIFEST = 1024 * 1024;
const TIME_OUT = 120_000;

export const releaseGuard: Command = defineCommand({
  name: "release guard",
  usage: "[--file FILE.touchmark] [--branch NAME | --inbox]",
  examples: ["touchmark release guard", '"prepublishOnly": "touchmark release guard"'],
  about: [
    "For prepublishOnly in package.json: refuses a publish of this folder unless enough have signed it, and signed the very bytes that npm would pack.",
    "The release's file is <name>-<version>.tgz.touchmark here, or --file.",
  ],
  flags: {
    file: { value: "FILE", help: "the release, or with --inbox its digest" },
    registry: { value: "NAME", help: "the registry, where the policy names several" },
    ...CARRIER_FLAGS,
  },
  operands: [0, 0],
  run: async (values, _operands, context) => {
    const { io, ui } = context;
    const policy = loadPolicy(context);
    const { name, version } = readManifest(io.cwd);
    const preset = `${name.replace("@", "").replace("/", "-")}-${version}.tgz.touchmark`;
    const typed = values.file ?? preset;
    const carried = values.branch !== undefined || values.inbox;
    if (!carried && !existsSync(resolve(io.cwd, typed)))
      throw new CliError(
        "NO_QUORUM",
        `Nobody has signed ${name}@${version}: there is no ${typed}.`,
        "Propose it: npm pack, then touchmark release propose FILE.tgz",
      );
    const { file, found } = await openRelease(typed, values, policy, context);
    const { statement } = found;
    const id = `${encodePackageId({ registry: chooseRegistry(policy, values.registry), name })}@${version}`;
    const signed = statement.kind === "release" ? statement.releases.get(id) : undefined;
    if (signed === undefined)
      throw new CliError("OTHER_STATEMENT", `${file} is not about ${id}.`, "Name the right one with --file.");
    requireQuorum(await statusOfFile(file, found, policy, context), file);
    const sha512 = await packedDigest(context);
    if (sha512 !== signed.sha512)
      throw new CliError(
        "OTHER_BYTES",
        `npm would publish other bytes of ${id} than those that were signed.`,
        "Publish the tarball that was signed: touchmark release publish",
      );
    ui.result({ ok: true, release: id, sha512 }, [`${id} is signed by enough, and these are the bytes.`]);
    return 0;
  },
});

function readManifest(folder: string): { name: string; version: string } {
  const manifest = parseJson(readWhole(join(folder, "package.json"), MAX_MANIFEST), { bytes: MAX_MANIFEST });
  const { name, version } = isObject(manifest) ? manifest : {};
  if (typeof name === "string" && typeof version === "string" && isPackageName(name) && isVersion(version))
    return { name, version };
  throw usageError("release guard", "package.json has no valid name and version.");
}

// What npm would pack, without its scripts: those that build have run before.
async function packedDigest({ io }: Context): Promise<string> {
  const args = ["pack", "--dry-run", "--json", "--ignore-scripts"];
  let output: string;
  try {
    const options = { cwd: io.cwd, env: io.env, timeout: TIME_OUT, shell: io.platform === "win32" };
    output = (await promisify(execFile)("npm", args, options)).stdout;
  } catch (cause) {
    throw new CliError("NPM_UNAVAILABLE", "npm could not say what it would pack.", "Run: npm pack --dry-run", cause);
  }
  const packed: unknown = JSON.parse(output);
  const first: unknown = Array.isArray(packed) ? packed[0] : Object.values(packed as object)[0];
  const integrity = typeof first === "object" && first !== null && "integrity" in first ? first.integrity : undefined;
  const read = parseIntegrity(typeof integrity === "string" ? integrity : undefined);
  if (read.ok) return read.sha512;
  throw new CliError("NPM_UNAVAILABLE", "npm did not say what it would pack.", "A newer npm does.");
}
