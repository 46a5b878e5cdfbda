import { basename } from "node:path";
import { createReadStream } from "node:fs";
import { cleanText, encodePackageId, encodeRelease, isPackageName, isVersion } from "@touchmark/core";
import { readTarball } from "@touchmark/verify/tarball";
import { usageError } from "../command.ts";
import { CliError } from "../error.ts";

/** A tarball at hand, and the release that it would be. */
export interface HeldTarball {
  path: string;
  releaseId: string;
  name: string;
  version: string;
  sha512: string;
  tarSha512: string;
}

export interface DraftOptions {
  origin: string;
  /** `--base`, as typed: a version, or `NAME@VERSION` where there are several tarballs. */
  bases: readonly string[];
  source: { repository: string; commit: string } | undefined;
  /** The registry's id of the staged publish, where there is one tarball. */
  stage?: string | undefined;
}

/** Reads a tarball and names its release by the registry's name in the policy. Throws VerifyError and what the system throws. */
export async function readHeldTarball(path: string, registry: string): Promise<HeldTarball> {
  const { sha512, tarSha512, packageJson } = await readTarball(createReadStream(path));
  const { name = "", version = "" } = packageJson;
  if (!isPackageName(name) || !isVersion(version)) {
    throw new CliError(
      "OTHER_BYTES",
      `The package.json in ${cleanText(basename(path))} does not have a valid name and version.`,
      "Make the tarball with npm pack.",
    );
  }
  return { path, releaseId: `${encodePackageId({ registry, name })}@${version}`, name, version, sha512, tarSha512 };
}

/** The payload of a release of these tarballs. */
export function draftRelease(tarballs: HeldTarball[], { origin, bases, source, stage }: DraftOptions): Uint8Array {
  const baseOf = readBases(bases, tarballs);
  return encodeRelease({
    logs: [origin],
    releases: tarballs.map(({ releaseId, sha512, tarSha512 }) => {
      const base = baseOf.get(releaseId);
      return { releaseId, sha512, tarSha512, ...(base === undefined ? {} : { base }), ...(stage && { stage }) };
    }),
    ...(source ? { source } : {}),
  });
}

// Release id → base.
function readBases(bases: readonly string[], tarballs: HeldTarball[]): Map<string, string> {
  const byRelease = new Map<string, string>();
  for (const typed of bases) {
    const at = typed.lastIndexOf("@");
    const name = at > 0 ? typed.slice(0, at) : undefined;
    const base = typed.slice(at + 1);
    const meant = name === undefined ? tarballs : tarballs.filter((tarball) => tarball.name === name);
    if (meant.length !== 1 || !isVersion(base)) {
      throw usageError(
        "sign",
        `--base ${cleanText(typed)} does not name one version of one of the tarballs' packages.`,
        "With several tarballs write --base NAME@VERSION, once for each.",
      );
    }
    byRelease.set(meant[0]!.releaseId, base);
  }
  return byRelease;
}
