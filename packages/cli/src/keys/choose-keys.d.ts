import type { EnrolledKey } from "./key-store.ts";
export interface KeyWish {
    /** `--holder`. */
    holder: string | undefined;
    /** `--device`. */
    device: string | undefined;
    /** Fingerprints that the statement lists; null where it lists none. */
    listed: ReadonlySet<string> | null;
    /** Fingerprints that have signed. */
    signed: ReadonlySet<string>;
}
/** The keys of one holder of which any may sign, and where they are. */
export type KeyChoice = {
    kind: "chosen";
    holder: string;
    device: string;
    keys: EnrolledKey[];
} | {
    kind: "signed already";
    holder: string;
};
/** Which of the enrolled keys are meant. Throws `NO_KEY`, `SEVERAL_KEYS`, `KEY_NOT_LISTED`. */
export declare function chooseKeys(enrolled: EnrolledKey[], wish: KeyWish): KeyChoice;
