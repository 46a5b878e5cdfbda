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
import {
  type Algorithm,
  EDDSA,
  enrollKey,
  type EnrolledKey as Enrolled,
  ES256,
  isBrowserSpec,
  openDevices,
  selectDevice,
} from "@touchmark/fido";
import { nodeCrypto } from "@touchmark/log";
import { type Command, type Context, defineCommand, usageError } from "../command.ts";
import { touchmarkHome } from "../files/home.ts";
import { BROWSER_FLAGS, makeBrowserEdges } from "../keys/browser-edges.ts";
import { isSoftware, normalizeDevice } from "../keys/device.ts";
import { makeInteraction, PIN_FLAG } from "../keys/interaction.ts";
import { addKey, type EnrolledKey, readKeys } from "../keys/key-store.ts";
import { table } from "../ui.ts";

const ALGORITHMS = { es256: ES256, ed25519: EDDSA } as const;

export const keyEnroll: Command = defineCommand({
  name: "key enroll",
  usage: "--holder LABEL [--device D] [--algorithm es256|ed25519] [--uv]",
  examples: ["touchmark key enroll --holder alice"],
  about: [
    "Makes a credential on a security key and remembers it in the Touchmark home. Nothing secret leaves the key.",
    "With --device browser a page opens that takes passkeys, phones and whatever else the browser knows.",
    "Give the key card (touchmark key export) to whoever writes the claim.",
  ],
  flags: {
    holder: { value: "LABEL", help: "the person who holds the key: a-z, 0-9, dot, dash, underscore" },
    device: {
      value: "D",
      help: "usb (the default), browser, browser:https://HOST/, udp:HOST:PORT[:LOCALPORT], or soft:FILE to try things out",
    },
    algorithm: { value: "NAME", help: "es256 (the default, which every key has) or ed25519" },
    uv: { help: "sign with PIN or fingerprint from now on" },
    ...PIN_FLAG,
    ...BROWSER_FLAGS,
  },
  operands: [0, 0],
  run: async (values, _operands, context) => {
    const { io, ui } = context;
    const { holder } = values;
    if (holder === undefined) throw usageError("key enroll", "--holder is missing.");
    if (!isHolder(holder)) {
      throw usageError(
        "key enroll",
        "The holder's label is malformed.",
        "It is 1 to 39 of a-z, 0-9, dot, dash and underscore, and begins with a letter or digit.",
      );
    }
    const algorithm = readAlgorithm(values.algorithm ?? "es256");
    const device = normalizeDevice(values.device ?? "usb", io.cwd);
    const home = touchmarkHome(io);
    const known = readKeys(home);
    const key = isBrowserSpec(device)
      ? await enrollThroughBrowser(context, { holder, device, algorithm, known, values })
      : await enrollOnDevice(context, { holder, device, algorithm, known, values });
    await addKey(home, key);
    if (isSoftware(device))
      ui.warn("this is a software key: whoever can read its file can sign", "Use it for trying out only.");
    ui.result({ ok: true, key: { ...key, model: { ...key.model } } }, [
      `Enrolled a key of ${holder}.`,
      ...table([
        ["  fingerprint", key.fingerprint],
        ["  key", key.key],
        ["  device", key.model.name],
        ["  attestation", key.attestation.format],
      ]),
    ]);
    return 0;
  },
});

interface Wish {
  holder: string;
  device: string;
  algorithm: Algorithm;
  known: EnrolledKey[];
  values: { uv: boolean; "pin-fd": string | undefined; "no-open": boolean; paste: boolean };
}

async function enrollThroughBrowser(context: Context, wish: Wish): Promise<EnrolledKey> {
  const { holder, device, algorithm, known, values } = wish;
  if (algorithm !== ES256) throw usageError("key enroll", "Keys in a browser are es256 only.");
  const { enrollKeyInBrowser } = await import("../keys/enroll-in-browser.ts");
  const edges = makeBrowserEdges(context, values);
  const key = await enrollKeyInBrowser({ holder, device, userVerification: values.uv, known }, edges);
  if (device === "browser")
    context.ui.warn(
      "a key of localhost can be asked for by every page that a program on this machine serves",
      "A page on your team's own domain is stronger: touchmark key page --help",
    );
  return key;
}

async function enrollOnDevice(context: Context, wish: Wish): Promise<EnrolledKey> {
  const { holder, device, algorithm, known, values } = wish;
  const interaction = makeInteraction(context, values["pin-fd"]);
  const opened = await selectDevice({ devices: await openDevices(device), interaction });
  try {
    const enrolled = await enrollKey({
      device: opened,
      rpId: USB_APPLICATION,
      clientDataHash: enrolmentHash(nodeCrypto, holder), // [K-15]
      user: { id: encodeUtf8(holder), name: holder },
      algorithms: [algorithm],
      excludeCredentialIds: known.map(({ credentialId }) => parseBase64(credentialId)),
      wantUv: values.uv,
      interaction,
    });
    return toStored(enrolled, { holder, device, name: opened.name, userVerification: values.uv });
  } finally {
    await opened.close();
  }
}

function readAlgorithm(name: string): Algorithm {
  if (name === "es256" || name === "ed25519") return ALGORITHMS[name];
  throw usageError("key enroll", "--algorithm is neither es256 nor ed25519.");
}

function toStored(
  enrolled: Enrolled,
  about: { holder: string; device: string; name: string; userVerification: boolean },
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
    model: { name: about.name, aaguid: encodeHex(enrolled.aaguid) },
    userVerification: about.userVerification,
    attestation: { format: enrolled.fmt, object: encodeBase64(enrolled.attestationObject) }, // [K-16]
  };
}
