export declare const EXIT: {
    readonly ok: 0;
    readonly rejected: 1;
    readonly usage: 2;
    readonly unchecked: 3;
    readonly key: 4;
};
export type Exit = (typeof EXIT)[keyof typeof EXIT];
/** How a failure is shown: `message` is one sentence. */
export interface Failure {
    exit: Exit;
    code: string;
    message: string;
    hint: string;
}
/** The exit code and the words for anything that was thrown. */
export declare function explainFailure(error: unknown): Failure;
