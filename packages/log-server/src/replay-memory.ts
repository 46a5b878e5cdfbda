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
      releases.set(id, [...(releases.get(id) ?? []), kept]);
    },
    stated: (digest) => statements.get(digest),
    keepStatement: (digest, index) => {
      statements.set(digest, index);
    },
  };
}
