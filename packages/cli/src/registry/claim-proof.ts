import { isObject, type Json, parseJson, parsePackageId, windowEnd } from "@touchmark/core";
import type { ProofChecker, ProofVerdict, PublishedProof } from "@touchmark/log-server";
import { CliError } from "../error.ts";
import { usageError } from "../command.ts";
import { askRegistry, type RegistryEdges } from "./ask-registry.ts";

// Proof (a) of a first claim, looked up in the package's registry.
// Trust assumption: the registry, for who may publish; nothing else that it says is believed.

const MAX_PACKUMENT = 64 * 1024 * 1024;
const MAX_TARBALL = 64 * 1024 * 1024;

/** Registry names [C-9] to the addresses that serve them, each ending in a slash. */
export type Registries = ReadonlyMap<string, URL>;

/** Reads `NAME=URL` flags. Throws `USAGE`. */
export function readRegistries(values: readonly string[], command: string): Registries {
  return new Map(
    values.map((value) => {
      const at = value.indexOf("=");
      const url = URL.parse(value.slice(at + 1));
      if (at < 1 || url === null || !/^https?:$/.test(url.protocol) || !url.pathname.endsWith("/"))
        throw usageError(command, "--registry is not NAME=URL with a URL that ends in a slash.");
      return [value.slice(0, at), url];
    }),
  );
}

/** A checker that asks these registries; null where there are none. */
export function proofChecker(registries: Registries, io: RegistryEdges): ProofChecker | null {
  if (registries.size === 0) return null;
  return async (proof) => {
    try {
      return await checkProof(proof, registries, io);
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      return { kind: "unknown", message: error.message };
    }
  };
}

async function checkProof(proof: PublishedProof, registries: Registries, io: RegistryEdges): Promise<ProofVerdict> {
  const { registry, name } = parsePackageId(proof.packageId);
  const { version, authority, claimed } = proof;
  const base = registries.get(registry);
  if (!base) return { kind: "unasked", message: `No address of the registry ${registry} is known here.` };
  const address = new URL(name.replace("/", "%2f"), base);
  const document = readDocument(await readAll(askRegistry(io, address, "application/json", MAX_PACKUMENT)));
  const published = member(member(document, "time"), version);
  const tarball = member(member(member(member(document, "versions"), version), "dist"), "tarball");
  // Somebody who could publish once, and can't any more, must not be able to claim.
  const at = typeof published === "string" ? Date.parse(published) / 1000 : Number.NaN;
  const inTime = windowEnd("claim", at) >= claimed;
  if (typeof tarball !== "string") {
    // A registry remembers when a version was published, also of one that it has no more.
    return inTime
      ? { kind: "gone", message: `${name}@${version} has been unpublished.` }
      : { kind: "unknown", message: `The registry has no ${name}@${version}.` };
  }
  if (!inTime) return wrong(`${name}@${version} was published too long before the claim.`);
  const url = URL.parse(tarball);
  if (url?.origin !== base.origin || !url.pathname.startsWith(base.pathname))
    return wrong("The registry names a tarball at another address.");
  return checkTarball(await readAll(askRegistry(io, url, "*/*", MAX_TARBALL)), proof, `${name}@${version}`, authority);
}

async function checkTarball(
  bytes: Uint8Array,
  { sha512 }: PublishedProof,
  release: string,
  authority: string,
): Promise<ProofVerdict> {
  // Only a log that is given a proof needs the reader of tarballs.
  const [{ readTarball }, { VerifyError }] = await Promise.all([
    import("@touchmark/verify/tarball"),
    import("@touchmark/verify"),
  ]);
  try {
    const tarball = await readTarball(bytes);
    if (tarball.sha512 !== sha512) return wrong(`The registry serves other bytes as ${release}.`);
    if (member(tarball.packageJson.content["touchmark"], "authority") === authority) return { kind: "good" };
    return wrong(`The package.json of ${release} does not name the authority ${authority}.`);
  } catch (error) {
    if (error instanceof VerifyError) return wrong(error.message);
    throw error;
  }
}

function readDocument(bytes: Uint8Array): Json {
  try {
    return parseJson(bytes, { bytes: MAX_PACKUMENT, depth: 64 });
  } catch (cause) {
    throw new CliError("REGISTRY_ANSWER", "The registry's document is malformed.", "Try again later.", cause);
  }
}

async function readAll(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

/** A member that the object has itself. */
function member(value: Json | undefined, name: string): Json | undefined {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function wrong(message: string): ProofVerdict {
  return { kind: "wrong", message };
}
