import { cleanText } from "@touchmark/core";
import type { Interaction, PinQuestion, PlugInReason } from "@touchmark/fido";
import type { Context } from "../command.ts";
import { CliError } from "../error.ts";
import { count } from "../ui.ts";

export const PIN_FLAG = {
  "pin-fd": { value: "N", help: "read the PIN from this file descriptor, where there is no terminal" },
} as const;

/** The person at the terminal, as the security keys' client wants to have them. */
export function makeInteraction({ io, ui }: Context, pinFd: string | undefined): Interaction {
  const fd = pinFd === undefined ? undefined : readDescriptor(pinFd, "--pin-fd");
  const askPin = async (question: PinQuestion): Promise<string | undefined> => {
    if (question.reason === "wrong") ui.progress("that PIN is wrong");
    if (question.reason === "too-short") ui.progress(`a PIN has at least ${count(question.minLength, "character")}`);
    if (question.reason === "too-long") ui.progress("no PIN is that long");
    // What a file says once it will say again: a wrong PIN is not tried twice.
    if (fd !== undefined) return question.reason === "needed" ? io.readLine(fd) : undefined;
    if (!io.isTerminal.stdin) {
      throw new CliError(
        "PIN_NEEDED",
        "The security key asks for its PIN, and there is no terminal to type it.",
        "Give it with --pin-fd N.",
      );
    }
    return io.askSecret(`PIN of ${cleanText(question.deviceName)} (${count(question.retries, "attempt")} left): `);
  };
  const showPlugIn = (reason: PlugInReason): void => {
    if (reason === "none") ui.progress("plug in a security key now; Ctrl-C gives up");
    else ui.progress("the key that is plugged in is not the one: plug that in now; Ctrl-C gives up");
  };
  return {
    askPin,
    // Without a person nobody plugs in anything.
    ...(io.isTerminal.stdin && io.isTerminal.stderr && io.env["CI"] === undefined && { showPlugIn }),
    showTouch: (deviceName) => {
      ui.progress(`touch ${cleanText(deviceName)} now`);
    },
    signal: io.signal,
  };
}

/** The number of a file descriptor, as `flag` gave it. */
export function readDescriptor(text: string, flag: string): number {
  if (!/^\d{1,4}$/.test(text)) throw new CliError("USAGE", `${flag} is not the number of a file descriptor.`);
  return Number(text);
}
