import { fetchConsistency, LogError, type LogEndpoint, type SignedCheckpoint } from "@touchmark/log";
import { keepFork, readRemembered, remember } from "@touchmark/verify";

/**
 * Shows that a checkpoint extends the newest one seen of its log, and remembers it [V-5]. A smaller one is shown to be a
 * beginning of what is remembered. Throws `FORK` (both notes are then kept) and what the network throws.
 */
export async function rememberCheckpoint(home: string, log: LogEndpoint, checkpoint: SignedCheckpoint): Promise<void> {
  const before = readRemembered(home, log.key);
  try {
    if (before && before.size <= checkpoint.size) await fetchConsistency(log, before, checkpoint);
    else if (before) await fetchConsistency(log, checkpoint, before);
  } catch (error) {
    if (!(error instanceof LogError) || error.code !== "FORK" || !error.notes) throw error;
    const hint = `Both notes are kept in ${keepFork(home, log.key, error.notes)}: they prove it to anybody.`;
    throw new LogError("FORK", error.message, { hint, notes: error.notes, cause: error });
  }
  remember(home, log.key, checkpoint);
}
