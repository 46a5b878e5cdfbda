/** A replay's memory in this process alone, for a log that is replayed as a whole. */
import { encodeHex, type PackageState, UNCLAIMED } from "@touchmark/core";
import type { KeptRelease, ReplayMemory } from "./replay.ts";

export function memoryInMaps(): ReplayMemory {
  const states = new Map<string, PackageState>();
  const times = new Map<number, number>();
  const releases = new Map<string, KeptRelease[]>();
  const statements = new Map<string, number>();
  return {
    state: (packageId) => states.get(packageId) ?? UNCLAIMED,
    keepEntry: ({ index, entry, packageId, state }) => {
      states.set(packageId, state);
      times.set(index, entry.time);
    },
    time: (index) => times.get(index),
    releases: (packageHash, version) => releases.get(`${encodeHex(packageHash)}@${version}`) ?? [],
    keepRelease: (packageHash, version, kept) => {
      const id = `${encodeHex(packageHash)}@${version}`;
      const known = releases.get(id) ?? [];
      const before = known.find(({ line }) => line === kept.line);
      if (before === undefined) releases.set(id, [...known, kept]);
      return before?.index;
    },
    keepStatement: (digest, index) => {
      const before = statements.get(digest);
      if (before === undefined) statements.set(digest, index);
      return before;
    },
  };
}
