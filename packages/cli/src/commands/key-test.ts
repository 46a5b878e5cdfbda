import { randomBytes } from "node:crypto";
import { resolve } from "node:path";
import { encodeUtf8, FLAG_BE, FLAG_UV, parseSshSignature } from "@touchmark/core";
import { type Command, defineCommand } from "../command.ts";
import { touchmarkHome } from "../files/home.ts";
import { BROWSER_FLAGS, makeBrowserEdges } from "../keys/browser-edges.ts";
import { chooseKeys } from "../keys/choose-keys.ts";
import { isSoftware, normalizeDevice } from "../keys/device.ts";
import { makeInteraction, PIN_FLAG } from "../keys/interaction.ts";
import { readKeys } from "../keys/key-store.ts";
import { TRACE_FLAG } from "../keys/open-key.ts";
import { signPayload } from "../keys/sign-payload.ts";
import { table } from "../ui.ts";

export const keyTest: Command = defineCommand({
  name: "key test",
  usage: "[--holder LABEL] [--device D] [--uv]",
  examples: ["touchmark key test"],
  about: [
    "Signs a throw-away message with a touch and checks the signature, as a verifier would.",
    "The message is no JSON, so it can't be a statement, and its signature is good for nothing else.",
  ],
  flags: {
    holder: { value: "LABEL", help: "whose key, where several holders' keys are enrolled here" },
    device: { value: "D", help: "where the key is; where it was enrolled when left out" },
    uv: { help: "with PIN or fingerprint" },
    ...PIN_FLAG,
    ...BROWSER_FLAGS,
    ...TRACE_FLAG,
  },
  operands: [0, 0],
  run: async (values, _operands, context) => {
    const { io, ui } = context;
    const choice = chooseKeys(readKeys(touchmarkHome(io)), {
      holder: values.holder,
      device: values.device === undefined ? undefined : normalizeDevice(values.device, io),
      listed: null,
      signed: new Set(),
    });
    // Nobody has signed yet, so nobody has signed already.
    if (choice.kind !== "chosen") return 0;
    if (isSoftware(choice.device)) ui.warn("this is a software key, not hardware");
    const { signature, key } = await signPayload({
      payload: encodeUtf8(`touchmark key test v1\n${randomBytes(32).toString("hex")}\n`),
      keys: choice.keys,
      device: choice.device,
      demands: {
        userVerification: values.uv || choice.keys.every(({ userVerification }) => userVerification),
        deviceBound: false,
      },
      interaction: makeInteraction(context, values["pin-fd"]),
      watch: io.watch ?? {},
      trace: values.trace === undefined ? undefined : resolve(io.cwd, values.trace),
      env: io.env,
      browser: makeBrowserEdges(context, values),
    });
    const { flags, counter } = parseSshSignature(signature.sig);
    const verified = (flags & FLAG_UV) !== 0;
    const syncable = (flags & FLAG_BE) !== 0;
    const copyable = syncable || isSoftware(choice.device);
    ui.result(
      {
        ok: true,
        holder: key.holder,
        fingerprint: key.fingerprint,
        flags: { touched: true, verified, copyable },
        counter,
      },
      [
        `The key of ${key.holder} signs, and its signature verifies.`,
        ...table([
          ["  fingerprint", key.fingerprint],
          ["  touched", "yes"],
          ["  PIN or fingerprint", verified ? "yes" : "no"],
          ["  can be copied", syncable ? "yes: a passkey that can be synced" : copyable ? "yes: it is a file" : "no"],
          ["  counter", String(counter)],
        ]),
      ],
    );
    return 0;
  },
});
