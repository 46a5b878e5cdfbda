import { type Authority, type AuthorityDraft, encodeAuthority, parseAuthority } from "../authority.ts";
import { encodeBase64, encodeHex, encodeUtf8, equalBytes, parseBase64, parseHex } from "../bytes.ts";
import type { Crypto } from "../crypto.ts";
import { require } from "../errors.ts";
import { readInteger, readObject, readString } from "../fields.ts";
import type { Json, JsonObject } from "../json.ts";
import { isVersion } from "../package-id.ts";
import { type Details, detailsMember, encodeDetails, readDetails } from "./details.ts";
import { encodeStatement, type StatementParts } from "./statement-form.ts";
import { encodeBySubject, encodeIdSubjects, readAuthoritySubjects, readBySubject, readReference } from "./subjects.ts";

export const MAX_EARLIER = 20_000; // [C-15]

/** The list of versions published before a claim, by its RFC 6962 root [S-15]. */
export interface EarlierVersions {
  size: number;
  root: Uint8Array;
}

/** No earlier versions; the root is SHA-256 of nothing. */
export const NO_EARLIER: EarlierVersions = {
  size: 0,
  root: parseHex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
};

/** A version in the registry. `sha512` is the hex of the SHA-512 of its .tgz. */
export interface PublishedVersion {
  version: string;
  sha512: string;
}

export interface ClaimedPackage {
  /** RFC 6962 leaf hash of the package's last authority entry, or null [S-17]. */
  previous: Uint8Array | null;
  earlier: EarlierVersions;
  /** Whose package.json carries the authority digest [S-27]. */
  proof: PublishedVersion | null;
}

/** A claim: these packages are held by this authority. */
export interface Claim {
  kind: "claim";
  logs: string[];
  /** By subject id. */
  packages: Map<string, ClaimedPackage>;
  authority: Authority;
  details: Details;
}

export interface ClaimDraft {
  logs: string[];
  packages: ReadonlyMap<string, Omit<ClaimedPackage, "proof"> & { proof?: PublishedVersion | null }>;
  authority: AuthorityDraft;
  /** Of a committee or a log. */
  details?: Details;
}

/** Reads what is particular to a claim [S-11] to [S-17], [S-27], [S-28]. Throws `MALFORMED`, `BAD_KEY`, `TOO_LARGE`. */
export function parseClaim(crypto: Crypto, { subject, logs, predicate }: StatementParts): Claim {
  const names = readAuthoritySubjects(crypto, subject, "S-11");
  const member = detailsMember(names[0]!);
  const members = ["logs", "packages", "authority", ...(member === null ? [] : [member])];
  const fields = readObject(predicate, "S-11", "claim", members);
  const read = member === null ? readPackage : readUnpublished;
  return {
    kind: "claim",
    logs,
    packages: readBySubject(fields["packages"], "S-11", "claim's packages", names, read),
    authority: parseAuthority(crypto, fields["authority"]),
    details: readDetails(member, fields),
  };
}

/** The payload of a claim. Lists are sorted here; the caller validates by parsing the result. */
export function encodeClaim(crypto: Crypto, { logs, packages, authority, details }: ClaimDraft): Uint8Array {
  return encodeStatement(encodeIdSubjects(crypto, packages.keys()), "claim", logs, {
    packages: encodeBySubject(packages, ({ previous, earlier, proof }) => ({
      previous: previous && encodeHex(previous),
      earlier: { size: earlier.size, root: encodeBase64(earlier.root) },
      ...(proof ? { proof: { version: proof.version, sha512: proof.sha512 } } : {}),
    })),
    authority: encodeAuthority(authority),
    ...encodeDetails(details ?? null),
  });
}

/** The bytes of one leaf of the list of earlier versions [S-15]. */
export function encodeEarlierLeaf(version: string, sha512: string): Uint8Array {
  return encodeUtf8(`${version} ${sha512}`);
}

/** The members `version` and `sha512` of a proof (a). */
export function readPublished(fields: JsonObject, rule: string): PublishedVersion {
  return {
    version: readString(fields["version"], rule, "published version", isVersion),
    sha512: readString(fields["sha512"], rule, "digest of the published version", /^[0-9a-f]{128}$/),
  };
}

function readPackage(value: Json | undefined): ClaimedPackage {
  const fields = readObject(value, "S-11", "claimed package", ["previous", "earlier", "proof"], ["proof"]);
  const { previous, earlier, proof } = fields;
  return {
    previous: previous === null ? null : readReference(previous, "previous entry"), // [S-17]
    earlier: readEarlier(earlier),
    proof: proof === undefined ? null : readProof(proof),
  };
}

// A committee or a log has never published anything.
function readUnpublished(value: Json | undefined): ClaimedPackage {
  const claimed = readPackage(value);
  const none = claimed.earlier.size === 0 && claimed.proof === null;
  require(none, "S-11", "The claim of a committee or a log names published versions.");
  return claimed;
}

function readProof(value: Json): PublishedVersion {
  return readPublished(readObject(value, "S-27", "proof of a claim", ["version", "sha512"]), "S-27");
}

function readEarlier(value: Json | undefined): EarlierVersions {
  const fields = readObject(value, "S-15", "list of earlier versions", ["size", "root"]);
  const size = readInteger(fields["size"], "S-15", "number of earlier versions", 0, MAX_EARLIER);
  const root = parseBase64(readString(fields["root"], "S-15", "root of earlier versions", () => true));
  require(root.length === 32, "S-15", "The root of the earlier versions is not 32 bytes long.");
  require(equalBytes(root, NO_EARLIER.root) ===
    (size === 0), "S-15", "The root and the number of the earlier versions contradict each other.");
  return { size, root };
}
