import {
  encodeBase64,
  encodeHex,
  encodeKey,
  encodeUtf8,
  enrolmentHash,
  isHolder,
  keyFingerprint,
  parseBase64,
  SK_ECDSA,
  SK_ED25519,
  USB_APPLICATION,
} from "@touchmark/core";
import { EDDSA, type EnrolledKey as Enrolled, enrollKey, ES256, isBrowserSpec } from "@touchmark/fido";
import { nodeCrypto } from "@touchmark/log";
import { resolve } from "node:path";
import { type Context, usageError } from "../command.ts";
import { touchmarkHome } from "../files/home.ts";
import { type Ui, table } from "../ui.ts";
import { type AttestationQuestion, checkEnrolled } from "./attestation-state.ts";
import { BROWSER_FLAGS, makeBrowserEdges } from "./browser-edges.ts";
import { chooseDevice } from "./choose-way.ts";
import { isSoftware, normalizeDevice } from "./device.ts";
import { enrolSshKey } from "./enrol-ssh.ts";
import type { BrowserEnrolment } from "./enroll-in-browser.ts";
import { makeInteraction, PIN_FLAG } from "./interaction.ts";
import { addKey, type EnrolledKey, readKeys } from "./key-store.ts";
import { openKey, TRACE_FLAG } from "./open-key.ts";
import { isSsh } from "./ssh-device.ts";

const ALGORITHMS = { es256: ES256, ed25519: EDDSA } as const;

const OWN_FLAGS = {
  holder: { value: "LABEL", help: "the person who holds the key: a-z, 0-9, dot, dash, underscore" },
  device: {
    value: "D",
    help: "usb, browser, browser:https://HOST/, ssh:FILE, udp:HOST:PORT[:LOCALPORT], or soft:FILE to try things out; when left out, the best that is there",
  },
  algorithm: { value: "NAME", help: "es256 (the default, which every key has) or ed25519" },
  uv: { help: "sign with PIN or fingerprint from now on" },
} as const;

export const ENROL_FLAGS: typeof OWN_FLAGS & typeof PIN_FLAG & typeof BROWSER_FLAGS & typeof TRACE_FLAG = {
  ...OWN_FLAGS,
  ...PIN_FLAG,
  ...BROWSER_FLAGS,
  ...TRACE_FLAG,
};

export interface EnrolValues {
  readonly holder: string | undefined;
  readonly device: string | undefined;
  readonly algorithm: string | undefined;
  readonly uv: boolean;
  readonly "pin-fd": string | undefined;
  readonly trace: string | undefined;
  readonly "no-open": boolean;
  readonly paste: boolean;
}

/** `--holder`, which must be there. */
export function readHolder(command: string, holder: string | undefined): string {
  if (holder === undefined) throw usageError(command, "--holder is missing.");
  if (isHolder(holder)) return holder;
  throw usageError(
    command,
    "The holder's label is malformed.",
    "It is 1 to 39 of a-z, 0-9, dot, dash and underscore, and begins with a letter or digit.",
  );
}

/** Makes a credential on a key as the flags say, and remembers it. Throws CliError and FidoError. */
export async function enrol(command: string, values: EnrolValues, context: Context): Promise<EnrolledKey> {
  const { io, ui } = context;
  const holder = readHolder(command, values.holder);
  const algorithm = readAlgorithm(command, values.algorithm ?? "es256");
  const home = touchmarkHome(io);
  const known = readKeys(home);
  const device =
    values.device === undefined
      ? await chooseDevice(
          { known, browserWillDo: values.algorithm !== "ed25519" && values.trace === undefined },
          context,
        )
      : normalizeDevice(values.device, io);
  if (isSsh(device)) {
    if (values.algorithm !== undefined) throw usageError(command, "The algorithm of an OpenSSH key is settled.");
    const trace = tracePath(values, context);
    const key = await enrolSshKey({ holder, device, userVerification: values.uv, known, trace }, context);
    await addKey(home, key);
    return key;
  }
  if (isBrowserSpec(device)) {
    if (algorithm !== ES256) throw usageError(command, "Keys in a browser are es256 only.");
    if (values.trace !== undefined) throw usageError(command, "What a browser says to a key cannot be traced.");
    const key = await enrolInBrowser({ holder, device, userVerification: values.uv, known }, values, context);
    await addKey(home, key);
    return key;
  }
  const { key, firmwareVersion } = await makeKey({ holder, device, algorithm, known }, values, context);
  await addKey(home, key);
  if (isSoftware(device))
    ui.warn("this is a software key: whoever can read its file can sign", "Use it for trying out only.");
  warnOfFaults(key, { roots: undefined, time: io.now(), firmwareVersion }, ui);
  return key;
}

/** The key as it is told to the person who enrolled it. */
export function describeKey(key: EnrolledKey): string[] {
  return table([
    ["  fingerprint", key.fingerprint],
    ["  key", key.key],
    ["  device", key.model.name],
    ["  attestation", key.attestation?.format ?? "none"],
  ]);
}

interface Wish {
  holder: string;
  device: string;
  algorithm: (typeof ALGORITHMS)[keyof typeof ALGORITHMS];
  known: EnrolledKey[];
}

async function makeKey(
  { holder, device, algorithm, known }: Wish,
  values: EnrolValues,
  context: Context,
): Promise<{ key: EnrolledKey; firmwareVersion: number | undefined }> {
  const interaction = makeInteraction(context, values["pin-fd"]);
  const opened = await openKey({
    device,
    trace: tracePath(values, context),
    interaction,
    watch: context.io.watch ?? {},
  });
  try {
    const enrolled = await enrollKey({
      device: opened,
      rpId: USB_APPLICATION,
      clientDataHash: enrolmentHash(nodeCrypto, holder), // [K-15]
      user: { id: encodeUtf8(holder), name: holder },
      algorithms: [algorithm],
      excludeCredentialIds: known
        .map(({ credentialId }) => parseBase64(credentialId))
        .filter(({ length }) => length > 0),
      wantUv: values.uv,
      interaction,
    });
    return {
      key: toStored(enrolled, {
        holder,
        device,
        name: opened.name,
        transports: opened.info.transports,
        userVerification: values.uv,
      }),
      firmwareVersion: opened.info.firmwareVersion,
    };
  } finally {
    await opened.close();
  }
}

async function enrolInBrowser(request: BrowserEnrolment, values: EnrolValues, context: Context): Promise<EnrolledKey> {
  const { enrollKeyInBrowser } = await import("./enroll-in-browser.ts");
  const key = await enrollKeyInBrowser(request, makeBrowserEdges(context, values));
  if (request.device === "browser")
    context.ui.warn(
      "a key of localhost can be asked for by every page that a program on this machine serves",
      "A page on your team's own domain is stronger: touchmark key page --help",
    );
  return key;
}

function tracePath({ trace }: EnrolValues, { io }: Context): string | undefined {
  return trace === undefined ? undefined : resolve(io.cwd, trace);
}

function warnOfFaults(key: EnrolledKey, question: AttestationQuestion, ui: Ui): void {
  for (const { id, name, certainty, algorithms } of checkEnrolled(key, question)?.advisories ?? []) {
    ui.warn(
      `this key ${certainty === "affected" ? "has" : "may have"} a known fault: ${name} (${id})`,
      algorithms.includes(EDDSA)
        ? "touchmark key info says more."
        : `Ed25519 is not concerned: touchmark key remove ${key.fingerprint}, then enrol again with --algorithm ed25519.`,
    );
  }
}

function readAlgorithm(command: string, name: string): (typeof ALGORITHMS)[keyof typeof ALGORITHMS] {
  if (name === "es256" || name === "ed25519") return ALGORITHMS[name];
  throw usageError(command, "--algorithm is neither es256 nor ed25519.");
}

function toStored(
  enrolled: Enrolled,
  about: { holder: string; device: string; name: string; transports: readonly string[]; userVerification: boolean },
): EnrolledKey {
  const { publicKey } = enrolled;
  const key =
    publicKey.alg === "ES256"
      ? encodeKey(SK_ECDSA, publicKey.point, USB_APPLICATION)
      : encodeKey(SK_ED25519, publicKey.key, USB_APPLICATION);
  return {
    holder: about.holder,
    key: key.record,
    fingerprint: keyFingerprint(nodeCrypto, key),
    credentialId: encodeBase64(enrolled.credentialId),
    device: about.device,
    model: { name: about.name, aaguid: encodeHex(enrolled.aaguid), transports: [...about.transports] },
    userVerification: about.userVerification,
    attestation: { format: enrolled.fmt, object: encodeBase64(enrolled.attestationObject) }, // [K-16]
  };
}
