import { basename, resolve } from "node:path";
import { MAX_ENVELOPE_BYTES, parseReleaseId, type Verdict, type VerdictStatus } from "@touchmark/core";
import { VerifyError } from "@touchmark/verify";
import type { Context } from "../command.ts";
import { lockfilePath } from "../files/lockfile-path.ts";
import { loadCheckingPolicy } from "../files/policy-file.ts";
import { readIfThere } from "../files/read-file.ts";
import { chooseRegistry } from "../statements/choose-registry.ts";
import { table } from "../ui.ts";
import { type HeldTarball, readHeldTarball } from "../statements/draft-release.ts";
import { evidenceJson, evidenceLine } from "./describe-evidence.ts";
import { exitOf, verdictJson, verdictLines } from "./describe-verdict.ts";
import { checkTarball, rejectedTarball } from "./check-tarball.ts";
import { loadEvidence } from "./load-evidence.ts";

export interface TarballFlags {
  online: boolean;
  lockfile: string | undefined;
  registry: string | undefined;
}

/** Checks one tarball: by the log, or by the signature file beside it as long as it isn't logged. The exit code. */
export async function verifyTarball(file: string, flags: TarballFlags, context: Context): Promise<number> {
  const { io, ui } = context;
  const policy = await loadCheckingPolicy(context);
  const tarball = await readOrReject(resolve(io.cwd, file), chooseRegistry(policy, flags.registry));
  if ("reasons" in tarball) {
    ui.result({ ok: false, verdict: verdictJson(tarball) }, verdictLines(tarball, ui));
    return exitOf(tarball.status);
  }
  const { packageId } = parseReleaseId(tarball.releaseId);
  const loaded = await loadEvidence(
    {
      policy,
      lockfile: lockfilePath(io, flags.lockfile),
      ask: flags.online ? { [packageId]: [tarball.version] } : null,
    },
    context,
  );
  const envelope = readIfThere(resolve(io.cwd, `${file}.touchmark`), MAX_ENVELOPE_BYTES);
  const { verdict, entry } = checkTarball({ tarball, packageId, envelope, policy, ...loaded });
  const { evidence, warnings } = loaded;
  const logged = entry === null ? (flags.online && !("code" in evidence) ? "no" : "unknown") : "yes";
  ui.result(
    {
      ok: verdict.status === "accepted",
      verdict: verdictJson(verdict),
      sha512: tarball.sha512,
      logged: logged === "unknown" ? null : logged === "yes",
      entry,
      evidence: "code" in evidence ? null : evidenceJson(evidence, policy, io.now()),
    },
    [
      ...verdictLines(verdict, ui),
      ...table([
        ["  sha512", `${tarball.sha512.slice(0, 32)}…`],
        ["  logged", describeLogged(logged, entry, verdict.status)],
        ...("code" in evidence ? [] : [["  evidence", evidenceLine(evidence, policy, io.now())]]),
      ]),
    ],
  );
  for (const note of warnings) ui.warn(`${note.message} [${note.code}]`, note.hint);
  return exitOf(verdict.status);
}

function describeLogged(logged: "yes" | "no" | "unknown", entry: number | null, status: VerdictStatus): string {
  if (logged === "yes") return `yes, entry ${entry}`;
  if (logged === "no") return status === "accepted" ? "not yet: touchmark submit does that" : "no";
  return "not as far as touchmark.lock knows; --online asks the log";
}

/** A tarball that two clients could unpack to two trees is refused, not unreadable. */
async function readOrReject(path: string, registry: string): Promise<HeldTarball | Verdict> {
  try {
    return await readHeldTarball(path, registry);
  } catch (error) {
    if (!(error instanceof VerifyError) || !error.code.startsWith("TARBALL_")) throw error;
    return rejectedTarball(basename(path), error);
  }
}
