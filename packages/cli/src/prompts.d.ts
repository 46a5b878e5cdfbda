/** Asks for one line without showing it. Undefined if the person ends it with Ctrl-C or Ctrl-D, or the signal fires. */
export declare function askSecret(prompt: string, signal: AbortSignal): Promise<string | undefined>;
/** Asks yes or no; no is the default. */
export declare function askConfirm(question: string, signal: AbortSignal): Promise<boolean>;
/** The first line of a file descriptor. */
export declare function readLine(fd: number): Promise<string>;
