import { resolve } from "node:path";
import { cleanText } from "@touchmark/core";
import { changePin, type FidoDevice, getPinRetries, type PinRules, pinRules, setPin } from "@touchmark/fido";
import { type Command, type Context, defineCommand, usageError } from "../command.ts";
import { CliError } from "../error.ts";
import { normalizeDevice } from "../keys/device.ts";
import { makeInteraction, PIN_FLAG, readDescriptor } from "../keys/interaction.ts";
import { openKey, TRACE_FLAG } from "../keys/open-key.ts";
import { count } from "../ui.ts";

export const keyPin: Command = defineCommand({
  name: "key pin",
  usage: "set|change [--device D]",
  examples: ["touchmark key pin set", "touchmark key pin change"],
  about: [
    "Sets a security key's first PIN, or replaces it. It is the key's PIN everywhere, not only for Touchmark.",
    "A few wrong PINs lock the key, too many for good: what was enrolled on it is then lost.",
  ],
  flags: {
    device: { value: "D", help: "usb (the default), udp:HOST:PORT[:LOCALPORT], or soft:FILE" },
    ...PIN_FLAG,
    "new-pin-fd": { value: "N", help: "read the new PIN from this file descriptor" },
    ...TRACE_FLAG,
  },
  operands: [1, 1],
  run: async (values, [action], context) => {
    const { io, ui } = context;
    if (action !== "set" && action !== "change") throw usageError("key pin", "A PIN can be set or changed.");
    if (action === "set" && values["pin-fd"] !== undefined)
      throw usageError("key pin", "--pin-fd is the PIN that the key has; the first one is given with --new-pin-fd.");
    const device = await openKey({
      device: normalizeDevice(values.device ?? "usb", io),
      watch: io.watch ?? {},
      trace: values.trace === undefined ? undefined : resolve(io.cwd, values.trace),
      interaction: makeInteraction(context, values["pin-fd"]),
    });
    try {
      const rules = pinRules(device);
      if (action === "set" && !rules.isSet) await setPin(device, await askNew(device, rules, values, context));
      else if (action === "set") await setPin(device, "");
      else await change(device, rules, values, context);
      ui.result({ ok: true, device: device.name }, [
        action === "set"
          ? `${cleanText(device.name)} has a PIN now.`
          : `${cleanText(device.name)} has another PIN now.`,
      ]);
    } finally {
      await device.close();
    }
    return 0;
  },
});

type PinValues = { readonly "pin-fd": string | undefined; readonly "new-pin-fd": string | undefined };

async function change(device: FidoDevice, rules: PinRules, values: PinValues, context: Context): Promise<void> {
  // Without a PIN the key says so itself, before anybody types one.
  if (!rules.isSet) return changePin(device, "", "");
  const { retries } = await getPinRetries(device);
  const question = `PIN of ${cleanText(device.name)} (${count(retries, "attempt")} left): `;
  const old = await ask(question, values["pin-fd"], "--pin-fd", context);
  await changePin(device, old, await askNew(device, rules, values, context));
}

async function askNew(device: FidoDevice, rules: PinRules, values: PinValues, context: Context): Promise<string> {
  const fd = values["new-pin-fd"];
  const { minLength, maxLength } = rules;
  if (rules.hasHiddenRules) context.ui.progress("the key has rules for PINs that it tells to nobody");
  const question = `New PIN of ${cleanText(device.name)} (${minLength} to ${maxLength} characters): `;
  const pin = await ask(question, fd, "--new-pin-fd", context);
  if (fd === undefined && (await ask("The same again: ", undefined, "--new-pin-fd", context)) !== pin)
    throw new CliError("PIN_DIFFERS", "The two new PINs are not the same; nothing was changed.", "Try again.");
  return pin;
}

async function ask(question: string, fd: string | undefined, flag: string, { io }: Context): Promise<string> {
  if (fd !== undefined) return io.readLine(readDescriptor(fd, flag));
  if (!io.isTerminal.stdin)
    throw new CliError(
      "PIN_NEEDED",
      "A PIN is wanted, and there is no terminal to type it.",
      `Give it with ${flag} N.`,
    );
  const typed = await io.askSecret(question);
  if (typed === undefined) throw new CliError("NOT_CONFIRMED", "Nothing was changed.");
  return typed;
}
