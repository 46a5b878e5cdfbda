import { cleanText, CoreError } from "@touchmark/core";
import { VerifyError } from "../errors.ts";
import type { Catalogue } from "./catalogue.ts";
import type { Decide, Decision, GateEvent, Refusal } from "./decision.ts";
import type { PackumentLimits } from "./packument.ts";
import type { TarballLimits } from "../tarball/limits.ts";
import { askUpstream, type FetchEdge, type Upstream } from "./upstream.ts";

/** What the routes of one gate share. */
export interface GateContext {
  registry: Upstream;
  /** Throws `REGISTRY_UNKNOWN` for a scope whose registry has no name. */
  upstreamFor(name: string | undefined): Upstream;
  decide: Decide;
  fetchEdge: FetchEdge;
  catalogue: Catalogue;
  packumentLimits: PackumentLimits;
  tarballLimits: Partial<TarballLimits>;
  /** Private to this gate. */
  directory: string;
  /** Fires when the gate closes. */
  signal: AbortSignal;
  report(refusal: Refusal): void;
  progress(event: GateEvent): void;
}

/** One client request, as far as the registry behind may know of it. */
export interface ClientRequest {
  /** The client's credentials, unless they were for the gate itself. */
  authorization: string | undefined;
  accept: string;
}

/** Asks the registry for the client. Its credentials are for the main registry: no other gets them. */
export function ask(
  context: GateContext,
  client: ClientRequest,
  upstream: Upstream,
  request: { url: URL; headers: Record<string, string>; body?: Uint8Array },
): Promise<Response> {
  const authorization = upstream === context.registry ? client.authorization : undefined;
  const method = request.body ? "POST" : "GET";
  return askUpstream(context.fetchEdge, upstream, { ...request, method, authorization, signal: context.signal });
}

export function refusalOf(
  what: Refusal["what"],
  name: string,
  version: string | undefined,
  decision: Extract<Decision, { allow: false }>,
): Refusal {
  const { code, reason, hint, unchecked } = decision;
  return {
    what,
    name: cleanText(name, 214),
    version: version === undefined ? undefined : cleanText(version, 256),
    code: cleanText(code, 60),
    reason: cleanText(reason),
    hint: cleanText(hint),
    unchecked: unchecked === true,
  };
}

/** Whatever went wrong on the way to a decision is a refusal. It is "could not check" unless the bytes themselves were bad. */
export function refusalOfError(
  what: Refusal["what"],
  name: string,
  version: string | undefined,
  error: unknown,
): Refusal {
  const known = error instanceof VerifyError || error instanceof CoreError ? error : undefined;
  const code = known?.code ?? "CHECK_FAILED";
  const reason =
    known?.message ?? `It could not be checked: ${error instanceof Error ? error.message : "unknown reason"}`;
  const bad = /^(?:TARBALL|PACKUMENT|INTEGRITY|REQUEST|REGISTRY)_/.test(code);
  return refusalOf(what, name, version, { allow: false, code, reason, hint: known?.hint ?? "", unchecked: !bad });
}
