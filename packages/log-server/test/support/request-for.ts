/** What a log sends a witness that cosigned its tree of `old` leaves last, out of what it serves. */
import {
  consistencyRanges,
  digestToBytes,
  encodeAddCheckpoint,
  fetchCheckpoint,
  fetchRangeDigests,
  fetchTile,
  type LogEndpoint,
} from "@touchmark/log";

export async function requestFor(log: LogEndpoint, old: number): Promise<string> {
  const { note, size } = await fetchCheckpoint(log);
  const ranges = old === 0 ? [] : consistencyRanges(old, size);
  const proof = await fetchRangeDigests(size, ranges, (tile) => fetchTile(log, tile));
  return encodeAddCheckpoint({ oldSize: old, proof: proof.map(digestToBytes), note });
}
