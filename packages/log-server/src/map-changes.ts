/** What leaves change in the map. */
import { isAuthorityKind, type MapRecord, parseLeaf } from "@touchmark/log";

/** [L-11] The records that these leaves leave behind, the first at index `first`; of one package the last one counts. */
export function changesOf(leaves: readonly Uint8Array[], first: number): MapRecord[] {
  return leaves.flatMap((bytes, i) => {
    const leaf = parseLeaf(bytes);
    if (leaf.kind === "epoch") return [];
    const last = first + i;
    return [
      {
        packageHash: leaf.packageHash,
        last,
        lastAuthority: isAuthorityKind(leaf.kind) ? last : leaf.previousAuthority,
      },
    ];
  });
}
