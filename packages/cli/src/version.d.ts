/** The version of this package. */
export declare function readVersion(): string;
