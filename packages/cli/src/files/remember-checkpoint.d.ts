import { type LogEndpoint, type SignedCheckpoint } from "@touchmark/log";
/**
 * Shows that a checkpoint extends the newest one seen of its log, and remembers it [V-5]. A smaller one is shown to be a
 * beginning of what is remembered. Throws `FORK` (both notes are then kept) and what the network throws.
 */
export declare function rememberCheckpoint(home: string, log: LogEndpoint, checkpoint: SignedCheckpoint): Promise<void>;
