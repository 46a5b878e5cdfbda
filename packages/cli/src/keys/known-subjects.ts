// The packages and committees that somebody here has signed something for. The log has no list by key, so that this is how
// `touchmark notify` and `touchmark authority revoke` know where a key has a say.
import { join } from "node:path";
import { isObject, isSubjectId, parseJson } from "@touchmark/core";
import type { Policy } from "@touchmark/verify";
import type { Context } from "../command.ts";
import { touchmarkHome } from "../files/home.ts";
import { readIfThere } from "../files/read-file.ts";
import { writeWhole } from "../files/write-file.ts";
import { readKeys } from "./key-store.ts";

const MAX_FILE = 4 * 1024 * 1024;
const MOST = 10_000;

/** Subject ids by log, of the file `subjects.json` in the Touchmark home. What can't be read of it is left out: it is only a memory. */
export function readSubjects(home: string, origin: string): string[] {
  return [...(readAll(home).get(origin) ?? [])].toSorted();
}

/** All subjects that are known here: those that somebody here has signed for, those that touchmark.lock holds, those of claims in this folder. */
export async function knownSubjects(policy: Policy, context: Context): Promise<string[]> {
  const home = touchmarkHome(context.io);
  const fingerprints = readKeys(home).map(({ fingerprint }) => fingerprint);
  const { packagesOfKeys } = await import("./key-packages.ts");
  const found = await packagesOfKeys(fingerprints, { online: false }, context);
  const packages = [...found.values()].flat().map(({ packageId }) => packageId);
  return [...new Set([...readSubjects(home, policy.log.origin), ...packages])].toSorted();
}

/** Remembers that these subjects concern whoever signs here. Throws what the system throws. */
export async function noteSubjects(
  home: string,
  origins: readonly string[],
  subjects: readonly string[],
): Promise<void> {
  const all = readAll(home);
  let isNew = false;
  for (const origin of origins) {
    const known = all.get(origin) ?? new Set();
    for (const subject of subjects) {
      if (known.has(subject) || known.size >= MOST) continue;
      known.add(subject);
      isNew = true;
    }
    all.set(origin, known);
  }
  if (!isNew) return;
  const logs = Object.fromEntries([...all].map(([origin, known]) => [origin, [...known].toSorted()]));
  await writeWhole(fileOf(home), `${JSON.stringify({ version: 1, logs }, null, 2)}\n`);
}

function readAll(home: string): Map<string, Set<string>> {
  const all = new Map<string, Set<string>>();
  try {
    const bytes = readIfThere(fileOf(home), MAX_FILE);
    const value = bytes === null ? {} : parseJson(bytes, { bytes: MAX_FILE, depth: 4 });
    const logs = isObject(value) ? value["logs"] : undefined;
    for (const [origin, list] of Object.entries(isObject(logs) ? logs : {}))
      if (Array.isArray(list))
        all.set(origin, new Set(list.filter((id) => typeof id === "string" && isSubjectId(id)) as string[]));
  } catch {
    return new Map();
  }
  return all;
}

function fileOf(home: string): string {
  return join(home, "subjects.json");
}
