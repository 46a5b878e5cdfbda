import { cleanText } from "@touchmark/core";
import { CliError } from "../error.ts";
import type { Io } from "../io.ts";

/** What asking needs from outside. */
export type RegistryEdges = Pick<Io, "fetch" | "signal">;

const TIME_OUT = 60_000; // milliseconds for one answer

/** The body of a registry's answer, piece by piece. Throws `NOT_PUBLISHED`, `REGISTRY_ANSWER`, and what the network throws. */
export async function* askRegistry(
  io: RegistryEdges,
  url: URL,
  accept: string,
  limit: number,
): AsyncGenerator<Uint8Array, void, void> {
  const signal = AbortSignal.any([io.signal, AbortSignal.timeout(TIME_OUT)]);
  const response = await io.fetch(url.href, { headers: { accept }, signal }).catch((cause: unknown) => {
    throw unreachable(url, cause);
  });
  if (response.status !== 200 || !response.body) throw await refused(url, response);
  let length = 0;
  try {
    for await (const piece of response.body) {
      length += piece.length;
      if (length > limit)
        throw new CliError("REGISTRY_ANSWER", `The answer of ${url.href} is over ${limit} bytes long.`);
      yield piece;
    }
  } catch (cause) {
    throw cause instanceof CliError ? cause : unreachable(url, cause);
  }
}

function unreachable(url: URL, cause: unknown): Error {
  if (cause instanceof Error && cause.name === "AbortError") return cause;
  return new CliError(
    "REGISTRY_UNREACHABLE",
    `The registry at ${url.host} cannot be reached.`,
    "Check the network and the registry's address in touchmark.json, and try again.",
    cause,
  );
}

async function refused(url: URL, response: Response): Promise<CliError> {
  await response.body?.cancel();
  const { status } = response;
  if (status === 404) {
    return new CliError(
      "NOT_PUBLISHED",
      `The registry knows nothing of ${url.href}.`,
      "For a package that was never published say --no-earlier.",
    );
  }
  const hint =
    status === 401 || status === 403
      ? "The registry wants credentials, which Touchmark does not have."
      : "Try again later.";
  return new CliError("REGISTRY_ANSWER", `The registry answered ${status} for ${cleanText(url.href)}.`, hint);
}
