/** What an `integrity` field is worth: the one SHA-512 that it names (hex, lower case), or why it names none (a clause: "it has no integrity"). */
export type Integrity =
  | { ok: true; sha512: string }
  | {
      ok: false;
      code: "INTEGRITY_MISSING" | "INTEGRITY_MALFORMED" | "INTEGRITY_WEAK" | "INTEGRITY_AMBIGUOUS";
      reason: string;
    };

const TOKEN = /^([a-z0-9]{1,16})-([A-Za-z0-9+/]+={0,2})$/;
const MAX_LENGTH = 4096;

/**
 * Reads an SRI string [V-8]. The strongest algorithm decides, and only sha512 is strong enough: weaker ones beside it are
 * ignored, alone they are a finding. Absence is a finding as well; nothing here throws.
 */
export function parseIntegrity(text: string | undefined): Integrity {
  if (text === undefined || text.trim() === "") {
    return finding("INTEGRITY_MISSING", "it has no integrity");
  }
  if (text.length > MAX_LENGTH) return finding("INTEGRITY_MALFORMED", "its integrity is too long");
  const algorithms = new Set<string>();
  const sha512 = new Set<string>();
  for (const token of text.trim().split(/[ \t\r\n]+/)) {
    const [, algorithm, base64] = TOKEN.exec(token) ?? [];
    if (algorithm === undefined || base64 === undefined) {
      return finding("INTEGRITY_MALFORMED", "its integrity is not well-formed");
    }
    algorithms.add(algorithm);
    if (algorithm !== "sha512") continue;
    const digest = Buffer.from(base64, "base64");
    if (digest.length !== 64 || digest.toString("base64") !== base64) {
      return finding("INTEGRITY_MALFORMED", "its sha512 is not the canonical base64 of 64 bytes");
    }
    sha512.add(digest.toString("hex"));
  }
  const [only, ...others] = sha512;
  if (only === undefined) return finding("INTEGRITY_WEAK", `its integrity is ${[...algorithms].join(" and ")} only`);
  if (others.length > 0) return finding("INTEGRITY_AMBIGUOUS", "it names several sha512 values");
  return { ok: true, sha512: only };
}

/** The SRI form of a SHA-512 in hex. */
export function encodeIntegrity(sha512: string): string {
  return `sha512-${Buffer.from(sha512, "hex").toString("base64")}`;
}

function finding(code: Extract<Integrity, { ok: false }>["code"], reason: string): Integrity {
  return { ok: false, code, reason };
}
