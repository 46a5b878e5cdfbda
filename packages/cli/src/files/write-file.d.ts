/** Writes a file so that it is there whole or not at all: beside, then renamed. Throws what the system throws. */
export declare function writeWhole(path: string, content: Uint8Array | string): Promise<void>;
/** As `writeWhole`, but a file that is there already stays and the system's EEXIST is thrown. */
export declare function writeNew(path: string, content: Uint8Array | string): Promise<void>;
