import { randomBytes } from "node:crypto";
import type { BrowserEdges } from "@touchmark/fido/browser";
import type { Context } from "../command.ts";

export const BROWSER_FLAGS = {
  "no-open": { help: "print the page's address, and don't open it in the browser" },
  paste: { help: "the browser is on another machine: ask for the code that the team's page shows there" },
} as const;

const PATIENCE = 10 * 60_000;

/** The person at a browser, as the browser's client wants to have them. */
export function makeBrowserEdges({ io, ui }: Context, flags: { "no-open": boolean; paste: boolean }): BrowserEdges {
  const isRemote = io.env["SSH_CONNECTION"] !== undefined;
  return {
    show: async (url) => {
      ui.progress(`open in a browser: ${url}`);
      if (flags.paste) return;
      if (isRemote) {
        const { port } = new URL(url);
        ui.progress(`from another machine, first forward the port there: ssh -L ${port}:localhost:${port} …`);
      }
      if (!flags["no-open"] && !isRemote && io.isTerminal.stderr) await io.openUrl?.(url);
    },
    askCode: flags.paste
      ? () => (io.isTerminal.stdin ? io.askSecret("code that the page shows: ") : io.readLine(0))
      : null,
    signal: io.signal,
    timeout: PATIENCE,
    randomBytes,
  };
}
