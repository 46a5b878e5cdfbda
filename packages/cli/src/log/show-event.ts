import type { LogEvent } from "@touchmark/log-server";
import type { Context } from "../command.ts";

/** Prints failures of a server, and with `verbose` each request. `what` is what failed. */
export function showEvent(event: LogEvent, what: string, verbose: boolean, { ui }: Context): void {
  if (event.event === "failure") ui.warn(`the ${what} failed: ${event.message}`);
  else if (verbose) ui.progress(`${event.method} ${event.path} ${event.status} ${event.ms} ms`);
}
