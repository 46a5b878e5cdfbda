/** Runs the process's own command line. */
export declare function main(): Promise<void>;
