import { CliError } from "../error.ts";
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
export type KeyChoice =
  | { kind: "chosen"; holder: string; device: string; keys: EnrolledKey[] }
  | { kind: "signed already"; holder: string };

/** Which of the enrolled keys are meant. Throws `NO_KEY`, `SEVERAL_KEYS`, `KEY_NOT_LISTED`. */
export function chooseKeys(enrolled: EnrolledKey[], wish: KeyWish): KeyChoice {
  const held = wish.holder === undefined ? enrolled : enrolled.filter(({ holder }) => holder === wish.holder);
  if (held.length === 0) throw noKey(enrolled, wish.holder);
  const listed = held.filter(({ fingerprint }) => wish.listed === null || wish.listed.has(fingerprint));
  if (listed.length === 0) {
    throw new CliError(
      "KEY_NOT_LISTED",
      `The claim lists no key ${wish.holder === undefined ? "that is enrolled here" : `of ${wish.holder} that is enrolled here`}.`,
      "Whoever writes the claim needs your key card: touchmark key export",
    );
  }
  // A claim wants every key of it [S-16], a release one key a holder [S-5].
  const done = new Set(listed.filter(({ fingerprint }) => wish.signed.has(fingerprint)).map(({ holder }) => holder));
  const open = listed.filter((key) =>
    wish.listed === null ? !done.has(key.holder) : !wish.signed.has(key.fingerprint),
  );
  if (open.length === 0) return { kind: "signed already", holder: [...done].join(", ") };
  const holder = only(open, ({ holder: name }) => name, "holders", "--holder");
  const kind = wish.device?.split(":")[0];
  const there = open.filter(({ device }) => kind === undefined || device.split(":")[0] === kind);
  if (there.length === 0) throw noKey(open, `${holder} on ${kind}`);
  const device = wish.device ?? only(there, (key) => key.device, "places", "--device");
  return { kind: "chosen", holder, device, keys: there };
}

function only(keys: EnrolledKey[], name: (key: EnrolledKey) => string, what: string, flag: string): string {
  const [first = "", ...others] = new Set(keys.map(name));
  if (others.length === 0) return first;
  throw new CliError(
    "SEVERAL_KEYS",
    `Keys of several ${what} could sign: ${[first, ...others].join(", ")}.`,
    `Choose with ${flag}.`,
  );
}

function noKey(enrolled: EnrolledKey[], whose: string | undefined): CliError {
  const here = [...new Set(enrolled.map(({ holder }) => holder))].join(", ");
  return new CliError(
    "NO_KEY",
    whose === undefined ? "No key is enrolled here." : `No key of ${whose} is enrolled here.`,
    here === "" ? "Enrol one with: touchmark key enroll --holder LABEL" : `Enrolled are keys of ${here}.`,
  );
}
