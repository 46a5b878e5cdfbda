import type { Io } from "../io.ts";
/** The body of a registry's answer, piece by piece. Throws `NOT_PUBLISHED`, `REGISTRY_ANSWER`, and what the network throws. */
export declare function askRegistry(io: Io, url: URL, accept: string, limit: number): AsyncGenerator<Uint8Array, void, void>;
