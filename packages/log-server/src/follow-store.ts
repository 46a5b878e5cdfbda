/**
 * A log that another process writes, followed for reading. Nothing of its own has to survive: map and tree edge are made again from storage at each start.
 * Trust assumption: none but the storage's; each step forward is compared with the signed root and the map root before it is served.
 */
import { equalBytes } from "@touchmark/core";
import type { VerifierKey } from "@touchmark/log";
import { LogServerError } from "./error.ts";
import { changesOf } from "./map-changes.ts";
import { readState, recoverMap, recoverView, requireMapRoot } from "./recover.ts";
import { closeStorage, type Storage } from "./storage/storage.ts";
import { closingOnFailure } from "./store.ts";
import { type LogView, type StoreReads, storeReads } from "./store-reads.ts";
import { appendLeaves, rootOfEdge } from "./tree.ts";

export type FollowedStore = StoreReads & {
  /** Reads up to the checkpoint that is published now. Throws `STORE_DAMAGED`, and `STORE_UNREACHABLE` after which it can be called again. */
  readonly follow: () => Promise<void>;
  readonly close: () => Promise<void>;
};

/** The storage is closed with the store, and if this throws. Throws what `openStore` throws, but never `STORE_LOCKED`. */
export async function followStore(storage: Storage, key: VerifierKey): Promise<FollowedStore> {
  return closingOnFailure(storage, async () => {
    const { ledger } = storage;
    const { published } = await readState(storage, key);
    let view: LogView = await recoverView(storage, published);
    const { map } = await recoverMap(storage, published);
    const follow = async (): Promise<void> => {
      const { published: newest } = await readState(storage, key);
      const { size } = view.checkpoint;
      if (newest.size < size) return;
      const leaves = await ledger.leaves(size, newest.size);
      const { edge } = appendLeaves(view.edge, leaves);
      if (edge.size !== newest.size || !equalBytes(rootOfEdge(edge), newest.root))
        throw new LogServerError(
          "STORE_DAMAGED",
          "The log's entries are not those of the checkpoint that it published.",
        );
      const draft = map.draft();
      for (const record of changesOf(leaves, size)) draft.set(record);
      if (newest.size > size) requireMapRoot(leaves.at(-1), newest.size, draft.root());
      draft.commit();
      view = { checkpoint: newest, edge };
    };
    return { ...storeReads(storage, map, () => view), follow, close: () => closeStorage(storage) };
  });
}
