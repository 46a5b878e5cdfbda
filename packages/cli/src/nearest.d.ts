/** The word that was probably meant, or undefined if none is near: at most two letters off, and at most half of it. */
export declare function nearest(typed: string, known: Iterable<string>): string | undefined;
