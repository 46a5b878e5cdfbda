/** The bytes of a file of at most `limit` bytes. Throws `FILE_TOO_LARGE` and what the system throws. */
export declare function readWhole(path: string, limit: number): Uint8Array;
/** As `readWhole`; null if there is no such file. */
export declare function readIfThere(path: string, limit: number): Uint8Array | null;
