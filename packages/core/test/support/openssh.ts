import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeArmoredSignature, encodeUtf8, preAuthEncoding } from "../../src/index.ts";

/** OpenSSH's security key in software, from Debian's package openssh-tests. */
export const DUMMY_PROVIDER = "/usr/lib/openssh/regress/misc/sk-dummy/sk-dummy.so";

/** A signature that OpenSSH made over a statement. */
export interface OpensshCase {
  name: string;
  record: string;
  /** The statement's payload, as text; its DSSE encoding is what was signed. */
  payload: string;
  /** The armored file. */
  signature: string;
}

export function hasSshKeygen(): boolean {
  return spawnSync("ssh-keygen", ["-?"]).error === undefined;
}

export function hasDummyProvider(): boolean {
  return hasSshKeygen() && existsSync(DUMMY_PROVIDER);
}

/** What `ssh-keygen -Y verify` says to a signature in the namespace touchmark; `accepted` is its exit code. */
export function verifyWithSshKeygen(
  record: string,
  message: Uint8Array,
  blob: Uint8Array,
): { accepted: boolean; output: string } {
  return inFolder((folder) => {
    const allowed = join(folder, "allowed_signers");
    const signature = join(folder, "message.sig");
    writeFileSync(allowed, `maker namespaces="touchmark" ${record}\n`);
    writeFileSync(signature, encodeArmoredSignature(blob));
    const args = ["-Y", "verify", "-f", allowed, "-I", "maker", "-n", "touchmark", "-s", signature];
    const { status, stdout, stderr } = spawnSync("ssh-keygen", args, { input: message, encoding: "utf8" });
    return { accepted: status === 0, output: stdout + stderr };
  });
}

/** Signs with new keys of OpenSSH's dummy provider, one of each type, as `ssh-keygen -O application=ssh:touchmark` makes them. */
export function signWithDummyKeys(payload: string): OpensshCase[] {
  return ["ed25519-sk", "ecdsa-sk"].map((type) =>
    inFolder((folder) => {
      const key = join(folder, "id");
      const message = join(folder, "message");
      writeFileSync(message, preAuthEncoding(encodeUtf8(payload)));
      run("-q", "-t", type, "-w", DUMMY_PROVIDER, "-O", "application=ssh:touchmark", "-N", "", "-C", "", "-f", key);
      run("-Y", "sign", "-n", "touchmark", "-f", key, message);
      const record = readFileSync(`${key}.pub`, "utf8").trim();
      return { name: type, record, payload, signature: readFileSync(`${message}.sig`, "utf8") };
    }),
  );
}

function run(...args: string[]): void {
  const { status, stderr } = spawnSync("ssh-keygen", args, {
    encoding: "utf8",
    env: { ...process.env, SSH_SK_PROVIDER: DUMMY_PROVIDER },
  });
  if (status !== 0) throw new Error(`ssh-keygen ${args.join(" ")} failed: ${stderr}`);
}

function inFolder<T>(use: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "touchmark-openssh-"));
  try {
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
