/** A device as it is remembered: the file of a software key by its whole path. Throws `BAD_DEVICE_SPEC`. */
export declare function normalizeDevice(spec: string, cwd: string): string;
export declare function isSoftware(spec: string): boolean;
