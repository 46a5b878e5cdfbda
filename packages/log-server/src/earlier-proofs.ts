/** Proofs from the lists of earlier versions that claims commit to [E-5]. */
import { setImmediate } from "node:timers/promises";
import { encodeHex, encodeUtf8 } from "@touchmark/core";
import { type Digest, type EarlierEvidence, leafDigest, multiProof, nodeDigest, type Range } from "@touchmark/log";
import type { StoreReads } from "./store-reads.ts";

/** A list that a package's claim commits to, and the versions that are asked for. */
export type ListQuestion = {
  readonly packageId: string;
  readonly root: Uint8Array;
  readonly versions: readonly string[];
};

/**
 * For each package, by the root of the list in hex: the versions asked for that are on it. One list may be that of thousands of packages: it is read once,
 * and its tree is made once, for all of them.
 */
export async function proveEarlier(
  store: StoreReads,
  questions: readonly ListQuestion[],
): Promise<Map<string, Map<string, EarlierEvidence>>> {
  const proved = new Map<string, Map<string, EarlierEvidence>>();
  for (const [root, asked] of Map.groupBy(questions, (question) => encodeHex(question.root))) {
    const list = await store.earlier(asked[0]!.root);
    if (list === undefined) continue;
    const prove = listProver(list);
    for (const { packageId, versions } of asked) {
      const listed = prove(versions);
      if (listed === undefined) continue;
      const lists = proved.get(packageId) ?? new Map<string, EarlierEvidence>();
      proved.set(packageId, lists.set(root, listed));
    }
    await setImmediate();
  }
  return proved;
}

function listProver(list: string): (versions: readonly string[]) => EarlierEvidence | undefined {
  const lines = list.trimEnd().split("\n");
  const places = new Map(lines.map((line, place) => [line.slice(0, line.indexOf(" ")), place]));
  const levels = [lines.map((line) => leafDigest(encodeUtf8(line)))];
  for (let last = levels[0]!; last.length > 1; levels.push(last)) last = levelAbove(last);
  const digestOf = ({ start, end }: Range): Digest => {
    const height = Math.ceil(Math.log2(end - start));
    return levels[height]![start / 2 ** height]!;
  };
  return (versions) => {
    const found = [...new Set(versions.flatMap((version) => places.get(version) ?? []))].toSorted((a, b) => a - b);
    if (found.length === 0) return undefined;
    const pairs = found.map((place): [number, readonly [string, string]] => {
      const [version = "", sha512 = ""] = lines[place]!.split(" ");
      return [place, [version, sha512]];
    });
    return { versions: new Map(pairs), proof: multiProof(lines.length, found, digestOf) };
  };
}

/** An odd one at the end goes up as it is: so RFC 6962 splits. */
function levelAbove(level: readonly Digest[]): Digest[] {
  const above: Digest[] = [];
  for (let i = 0; i < level.length; i += 2) {
    const right = level[i + 1];
    above.push(right === undefined ? level[i]! : nodeDigest(level[i]!, right));
  }
  return above;
}
