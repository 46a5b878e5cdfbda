import { encodeBase64, encodeHex, encodeUtf8, equalBytes, parseBase64, parseHex } from "./bytes.ts";
import { type Authority, type AuthorityDraft, encodeAuthority, parseAuthority } from "./authority.ts";
import type { Crypto } from "./crypto.ts";
import { require } from "./errors.ts";
import { readInteger, readObject, readString } from "./fields.ts";
import type { Json } from "./json.ts";
import { packageIdHash, parsePackageId } from "./package-id.ts";
import { encodeStatement, readSubjects, type StatementParts } from "./statement-form.ts";

export const CLAIM_TYPE = "urn:touchmark:claim:v1";
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

export interface ClaimedPackage {
  /** RFC 6962 leaf hash of the package's last authority entry, or null [S-17]. */
  previous: Uint8Array | null;
  earlier: EarlierVersions;
}

/** A claim: these packages are held by this authority. */
export interface Claim {
  kind: "claim";
  logs: string[];
  packages: Map<string, ClaimedPackage>;
  authority: Authority;
}

/** Reads what is particular to a claim [S-11] to [S-17]. Throws `MALFORMED`, `BAD_KEY`, `TOO_LARGE`. */
export function parseClaim(crypto: Crypto, { subject, logs, predicate }: StatementParts): Claim {
  const names = readSubjects(subject, (name, digest) => {
    parsePackageId(name);
    const { sha256 } = readObject(digest, "S-11", "subject's digest", ["sha256"]);
    require(sha256 ===
      encodeHex(packageIdHash(crypto, name)), "S-11", "A subject's digest is not that of its package id.");
    return name;
  });
  const fields = readObject(predicate, "S-11", "claim", ["logs", "packages", "authority"]);
  const packages = readObject(fields["packages"], "S-11", "claim's packages", names);
  return {
    kind: "claim",
    logs,
    packages: new Map(names.map((name) => [name, readPackage(packages[name])])),
    authority: parseAuthority(crypto, fields["authority"]),
  };
}

/** The payload of a claim. The packages are sorted here; the caller validates by parsing the result. */
export function encodeClaim(
  crypto: Crypto,
  draft: { logs: string[]; packages: Map<string, ClaimedPackage>; authority: AuthorityDraft },
): Uint8Array {
  const names = [...draft.packages.keys()].toSorted();
  const packages: Record<string, Json> = {};
  for (const name of names) {
    const { previous, earlier } = draft.packages.get(name)!;
    packages[name] = {
      previous: previous && encodeHex(previous),
      earlier: { size: earlier.size, root: encodeBase64(earlier.root) },
    };
  }
  const subject = names.map((name) => ({ name, digest: { sha256: encodeHex(packageIdHash(crypto, name)) } }));
  return encodeStatement(subject, CLAIM_TYPE, {
    logs: draft.logs.toSorted(),
    packages,
    authority: encodeAuthority(draft.authority),
  });
}

/** The bytes of one leaf of the list of earlier versions [S-15]. */
export function encodeEarlierLeaf(version: string, sha512: string): Uint8Array {
  return encodeUtf8(`${version} ${sha512}`);
}

function readPackage(value: Json | undefined): ClaimedPackage {
  const fields = readObject(value, "S-11", "claimed package", ["previous", "earlier"]);
  const previous = fields["previous"];
  return {
    previous:
      previous === null
        ? null
        : parseHex(
            readString(previous, "S-17", "previous entry", () => true),
            32,
          ),
    earlier: readEarlier(fields["earlier"]),
  };
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
