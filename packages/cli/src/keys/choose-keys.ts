import { CliError } from "../error.ts";
import { isSameKind } from "./device.ts";
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
      `The statement lists no key ${wish.holder === undefined ? "that is enrolled here" : `of ${wish.holder} that is enrolled here`}.`,
      "Whoever writes it needs your key card: touchmark key export",
    );
  }
  const unsigned = listed.filter(({ fingerprint }) => !wish.signed.has(fingerprint));
  const done = new Set(listed.filter((key) => !unsigned.includes(key)).map(({ holder }) => holder));
  // A claim wants every key of it [S-16]. A release counts holders [S-5]: another key of the same one signs only when it is asked for by name.
  const open =
    wish.listed !== null || wish.device !== undefined ? unsigned : unsigned.filter(({ holder }) => !done.has(holder));
  if (open.length === 0) return { kind: "signed already", holder: [...done].join(", ") };
  const holder = onlyHolder(open);
  const there = open.filter(({ device }) => wish.device === undefined || isSameKind(device, wish.device));
  const [first] = there;
  if (first === undefined) throw noKey(open, `${holder} on ${nameOf(wish.device)}`);
  // Without --device it is the place of the key that was enrolled first.
  const device = wish.device ?? first.device;
  return {
    kind: "chosen",
    holder,
    device,
    keys: wish.device === undefined ? there.filter((key) => key.device === device) : there,
  };
}

function nameOf(device: string | undefined): string {
  return device?.startsWith("browser:") === true ? device : String(device?.split(":")[0]);
}

function onlyHolder(keys: EnrolledKey[]): string {
  const [first = "", ...others] = new Set(keys.map(({ holder }) => holder));
  if (others.length === 0) return first;
  throw new CliError(
    "SEVERAL_KEYS",
    `Keys of several holders could sign: ${[first, ...others].join(", ")}.`,
    "Choose with --holder.",
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
