import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { FidoError } from "../error.ts";
import { type Certificate, isSignedBy, parseCertificate } from "./certificate.ts";

/** Whom the user has named to vouch for makers of keys. */
export interface AttestationRoots {
  /** Certificates that are their own issuer: these are believed. */
  readonly anchors: readonly Certificate[];
  /** The others: they help to reach an anchor, and are believed only if one vouches for them. */
  readonly intermediates: readonly Certificate[];
}

const MOST_FILES = 256;
const MOST_CERTIFICATES = 512;
const MAX_FILE = 1024 * 1024;
const PEM = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g;

/**
 * Reads a file of PEM certificates, or all files of a folder that end in .pem, .crt or .cer. Nothing else is ever believed: there
 * are no roots by default. Throws BAD_ROOTS if a file can't be read or understood, or if none of the certificates is a root.
 */
export async function readRoots(path: string): Promise<AttestationRoots> {
  const certificates: Certificate[] = [];
  for (const file of await filesOf(path)) certificates.push(...parsePem(file, await readText(file)));
  if (certificates.length > MOST_CERTIFICATES) throw bad(path, "has too many certificates");
  const roots = splitRoots(certificates);
  if (roots.anchors.length === 0) throw bad(path, "has no root certificate, one that is its own issuer");
  return roots;
}

/** Tells roots from the others. */
export function splitRoots(certificates: readonly Certificate[]): AttestationRoots {
  return {
    anchors: certificates.filter(isRoot),
    intermediates: certificates.filter((one) => !isRoot(one)),
  };
}

function isRoot(certificate: Certificate): boolean {
  return certificate.x509.checkIssued(certificate.x509) && isSignedBy(certificate, certificate);
}

async function filesOf(path: string): Promise<string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const names = (await readdir(path)).filter((name) => /\.(?:pem|crt|cer)$/i.test(name)).toSorted();
    if (names.length > MOST_FILES) throw bad(path, "has too many files");
    return names.map((name) => join(path, name));
  } catch (cause) {
    throw cause instanceof FidoError ? cause : bad(path, "cannot be read", cause);
  }
}

async function readText(file: string): Promise<string> {
  try {
    if ((await stat(file)).size > MAX_FILE) throw bad(file, "is too long");
    return await readFile(file, "latin1");
  } catch (cause) {
    throw cause instanceof FidoError ? cause : bad(file, "cannot be read", cause);
  }
}

function parsePem(file: string, text: string): Certificate[] {
  const blocks = [...text.matchAll(PEM)];
  // A block that is not read would be a root that the user believes to have named.
  if (blocks.length === 0 || blocks.length !== text.split("-----BEGIN ").length - 1)
    throw bad(file, "holds something that is no PEM certificate");
  return blocks.map(([, base64 = ""]) => {
    const certificate = parseCertificate(new Uint8Array(Buffer.from(base64, "base64")));
    if (certificate === undefined) throw bad(file, "has a certificate that cannot be read");
    return certificate;
  });
}

function bad(path: string, what: string, cause?: unknown): FidoError {
  return new FidoError("BAD_ROOTS", `The attestation roots ${path} cannot be used: it ${what}.`, {
    hint: "Name a file of PEM certificates, or a folder of such files, with the roots of the makers that you trust.",
    cause,
  });
}
