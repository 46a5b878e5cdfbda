import { usageError } from "../command.ts";

/** The number after `--port`. Throws `USAGE`. */
export function readPort(text: string, command: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : -1;
  if (port >= 0 && port <= 65_535) return port;
  throw usageError(command, "--port is not a port's number.");
}

/** The address that clients use where no proxy stands in front. */
export function addressOf(host: string, port: number): string {
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}/`;
}

export function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve: done } = Promise.withResolvers<void>();
  if (signal.aborted) done();
  else signal.addEventListener("abort", () => done(), { once: true });
  return promise;
}
