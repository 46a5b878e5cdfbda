import { type NoteSigner } from "@touchmark/log";
/** The signer whose key lies in a log's folder, in the form that signed-note's own tools write; null if there is none. Throws `LOG_KEY_BAD`. */
export declare function readLogKey(directory: string): NoteSigner | null;
/** Makes the key of a new log, readable by its owner only. Throws `USAGE` for a bad origin and what the system throws. */
export declare function makeLogKey(directory: string, origin: string): Promise<NoteSigner>;
