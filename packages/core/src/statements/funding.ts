import type { Crypto } from "../crypto.ts";
import { readArray, readInteger, readObject, readString, requireSorted } from "../fields.ts";
import type { Json } from "../json.ts";
import { parsePackageId } from "../package-id.ts";
import { encodeStatement, type StatementParts } from "./statement-form.ts";
import { encodeFollowed, encodeIdSubjects, type Followed, readFollowed, readIdSubjects } from "./subjects.ts";

const MAX_CHANNELS = 10;
const MAX_MONTHLY = 1_000_000_000;

export interface FundingChannel {
  type: string;
  address: string;
}

/** Where money for these packages goes [S-36]. */
export interface Funding {
  kind: "funding";
  logs: string[];
  /** By package id. */
  packages: Map<string, Followed>;
  channels: FundingChannel[];
  /** Hex SHA-256 of a funding.json. */
  manifest: string | null;
  /** `monthly` in whole units of the currency. */
  needs: { currency: string; monthly: number } | null;
}

export type FundingDraft = Omit<Funding, "kind">;

/** Reads what is particular to a funding statement [S-36]. Throws `MALFORMED`, `TOO_LARGE`. */
export function parseFunding(crypto: Crypto, { subject, logs, predicate }: StatementParts): Funding {
  const names = readIdSubjects(crypto, subject, parsePackageId);
  const members = ["logs", "packages", "channels", "manifest", "needs"];
  const fields = readObject(predicate, "S-36", "funding statement", members);
  const { manifest, needs } = fields;
  return {
    kind: "funding",
    logs,
    packages: readFollowed(fields["packages"], "S-36", names),
    channels: readChannels(fields["channels"]),
    manifest: manifest === null ? null : readString(manifest, "S-36", "digest of the manifest", /^[0-9a-f]{64}$/),
    needs: needs === null ? null : readNeeds(needs),
  };
}

/** The payload of a funding statement. Lists are sorted here; the caller validates by parsing the result. */
export function encodeFunding(crypto: Crypto, draft: FundingDraft): Uint8Array {
  const { logs, packages, channels, manifest, needs } = draft;
  return encodeStatement(encodeIdSubjects(crypto, packages.keys()), "funding", logs, {
    packages: encodeFollowed(packages),
    channels: channels
      .map(({ type, address }) => ({ type, address }))
      .toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1)),
    manifest,
    needs: needs && { currency: needs.currency, monthly: needs.monthly },
  });
}

function readChannels(value: Json | undefined): FundingChannel[] {
  const channels = readArray(value, "S-36", "list of channels", MAX_CHANNELS).map((item) => {
    const fields = readObject(item, "S-36", "channel", ["type", "address"]);
    return {
      type: readString(fields["type"], "S-36", "type of a channel", /^[a-z][a-z0-9-]{0,31}$/),
      address: readString(fields["address"], "S-36", "address of a channel", /^[\x21-\x7e]{1,256}$/),
    };
  });
  requireSorted(channels.map(sortKey), "S-36", "channels");
  return channels;
}

function sortKey({ type, address }: FundingChannel): string {
  return `${type} ${address}`;
}

function readNeeds(value: Json | undefined): Funding["needs"] {
  const fields = readObject(value, "S-36", "needs", ["currency", "monthly"]);
  return {
    currency: readString(fields["currency"], "S-36", "currency", /^[A-Z]{3}$/),
    monthly: readInteger(fields["monthly"], "S-36", "monthly need", 0, MAX_MONTHLY),
  };
}
