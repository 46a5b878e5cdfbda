import type { IncomingMessage, ServerResponse } from "node:http";
import { VerifyError } from "../errors.ts";
import { answerJson, answerRefusal } from "./answers.ts";
import { ask, refusalOfError, type ClientRequest, type GateContext } from "./context.ts";
import { readBody, upstreamUrl } from "./upstream.ts";

const MAX_BYTES = 16 * 2 ** 20;

/**
 * Passes one of the registry's own functions through (audit, attestations, ping). Only JSON comes back, so that no tarball can come this way:
 * it is parsed here and written anew.
 */
export async function serveService(
  context: GateContext,
  client: ClientRequest,
  route: { path: string; name: string | undefined },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const upstream = context.upstreamFor(route.name);
    const body = request.method === "POST" ? await readRequest(request) : undefined;
    const url = upstreamUrl(upstream, route.path);
    const answer = await ask(context, client, upstream, {
      url,
      headers: forwardedHeaders(request),
      ...(body ? { body } : {}),
    });
    const bytes = await readBody(answer, MAX_BYTES);
    answerJson(response, answer.status, bytes ? parse(bytes) : { error: "The registry's answer is too large." });
  } catch (error) {
    answerRefusal(response, refusalOfError("request", route.path, undefined, error));
  }
}

async function readRequest(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let total = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    total += piece.length;
    if (total > MAX_BYTES) throw new VerifyError("REQUEST_REFUSED", "The request is too large.");
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

function forwardedHeaders(request: IncomingMessage): Record<string, string> {
  const wanted = ["accept", "content-type", "content-encoding"] as const;
  return Object.fromEntries(
    wanted.flatMap((name) => (request.headers[name] === undefined ? [] : [[name, request.headers[name]]])),
  );
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return { error: "The registry's answer is not JSON." };
  }
}
