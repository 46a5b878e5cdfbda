import type * as logServerModule from "@touchmark/log-server";
import { CliError } from "../error.ts";

export type LogServerModule = typeof logServerModule;

/** The package that only operators install. Throws `LOG_SERVER_MISSING`. */
export async function loadLogServer(): Promise<LogServerModule> {
  try {
    return await import("@touchmark/log-server");
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "ERR_MODULE_NOT_FOUND")) throw cause;
    throw new CliError(
      "LOG_SERVER_MISSING",
      "The log server is not installed.",
      "Install it: npm install @touchmark/log-server",
      cause,
    );
  }
}
