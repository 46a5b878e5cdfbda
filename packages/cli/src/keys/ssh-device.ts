// Keys that OpenSSH uses: ssh-keygen, or the agent that it asks, talks to them.
import { spawn } from "node:child_process";
import { cleanText, type Key, parseKey, parseUtf8 } from "@touchmark/core";
import { CliError } from "../error.ts";
import { readWhole } from "../files/read-file.ts";
import type { Io } from "../io.ts";

const MAX_PUBLIC = 8192;
const MAX_PRINTED = 64 * 1024;
const PREFIX = "ssh:";

export function isSsh(device: string): boolean {
  return device.startsWith(PREFIX);
}

/** FILE of `ssh:FILE`. */
export function sshFileOf(device: string): string {
  return device.slice(PREFIX.length);
}

/** The key in FILE.pub, or in FILE if that is a public key's own name. Throws `SSH_KEY_MALFORMED`, `BAD_KEY` and what the system throws. */
export function readPublicKeyFile(file: string): Key {
  const path = file.endsWith(".pub") ? file : `${file}.pub`;
  const record = /^([^\s]+ [^\s]+)(?: [^\n]*)?\n?$/.exec(parseUtf8(readWhole(path, MAX_PUBLIC)))?.[1];
  if (record !== undefined) return parseKey(record);
  throw new CliError(
    "SSH_KEY_MALFORMED",
    `${cleanText(path)} is not the public key of one security key.`,
    "Make one with: ssh-keygen -t ed25519-sk -O application=ssh:touchmark -f FILE",
  );
}

/** The armored signature that ssh-keygen makes over the message. Throws `SSH_KEYGEN`, AbortError. */
export async function signWithSshKeygen(
  file: string,
  message: Uint8Array,
  { env, signal }: { env: Io["env"]; signal: AbortSignal | undefined },
): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const child = spawn("ssh-keygen", ["-Y", "sign", "-n", "touchmark", "-f", file], { env: { ...env }, signal });
  const [printed, complaints] = [collect(child.stdout), collect(child.stderr)];
  child.once("error", (cause) => {
    reject(
      cause.name === "AbortError" ? cause : failed("ssh-keygen cannot be run.", "Install OpenSSH 8.3 or later.", cause),
    );
  });
  child.once("close", (code) => {
    const said = cleanText(complaints().toString("utf8").trimEnd().split("\n").at(-1) ?? "");
    if (code === 0) resolve(Uint8Array.from(printed()));
    else reject(failed(`ssh-keygen did not sign with ${cleanText(file)}.`, said === "" ? "" : `It said: ${said}`));
  });
  // It may end without having read everything; that it ended badly says enough.
  child.stdin.once("error", () => undefined).end(message);
  return promise;
}

function collect(stream: NodeJS.ReadableStream): () => Buffer {
  const parts: Buffer[] = [];
  let length = 0;
  stream.on("data", (part: Buffer) => {
    length += part.length;
    if (length <= MAX_PRINTED) parts.push(part);
  });
  return () => Buffer.concat(parts);
}

function failed(message: string, hint: string, cause?: unknown): CliError {
  return new CliError("SSH_KEYGEN", message, hint, cause);
}
