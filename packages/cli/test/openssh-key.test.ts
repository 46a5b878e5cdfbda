import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CliError } from "../src/error.ts";
import { encodeOpensshKey, parseOpensshKey } from "../src/keys/openssh-key.ts";

/** Made by ssh-keygen with OpenSSH's dummy provider: a key that no security key has. */
const MADE = `-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAUwAAABpzay1zc2
gtZWQyNTUxOUBvcGVuc3NoLmNvbQAAACBGZmoxc1UOccySx9XWXF2kPhXKidBmFOXWNTcz
BFnEUwAAAA1zc2g6dG91Y2htYXJrAAAAsOB03VTgdN1UAAAAGnNrLXNzaC1lZDI1NTE5QG
9wZW5zc2guY29tAAAAIEZmajFzVQ5xzJLH1dZcXaQ+FcqJ0GYU5dY1NzMEWcRTAAAADXNz
aDp0b3VjaG1hcmsBAAAAQGO6kgLrKSwzklVScnKFbpWetshqNVRooRJQcJKm+YP9RmZqMX
NVDnHMksfV1lxdpD4VyonQZhTl1jU3MwRZxFMAAAAAAAAAA3ggeQECAwQF
-----END OPENSSH PRIVATE KEY-----
`;
const CHECK = 0xe074dd54;

function bodyOf(file: string): Buffer {
  return Buffer.from(file.split("\n").slice(1, -2).join(""), "base64");
}

function fileOf(body: Buffer): string {
  const lines = body.toString("base64").match(/.{1,70}/g) ?? [];
  return ["-----BEGIN OPENSSH PRIVATE KEY-----", ...lines, "-----END OPENSSH PRIVATE KEY-----", ""].join("\n");
}

function replaced(from: Buffer, to: Buffer): string {
  const body = bodyOf(MADE);
  const at = body.lastIndexOf(from);
  return fileOf(Buffer.concat([body.subarray(0, at), to, body.subarray(at + from.length)]));
}

function refusal(file: string): string {
  try {
    parseOpensshKey(file);
  } catch (error) {
    if (error instanceof CliError && error.code === "SSH_KEY_MALFORMED") return error.message;
    throw error;
  }
  return "accepted";
}

describe("openssh-key-v1, a security key's", () => {
  it("what ssh-keygen wrote is read, and written byte for byte as it was", () => {
    const read = parseOpensshKey(MADE);
    expect(read).toMatchObject({ userVerification: false, comment: "x y" });
    expect(read.key.application).toBe("ssh:touchmark");
    expect(read.handle).toHaveLength(64);
    expect(encodeOpensshKey(read, CHECK)).toBe(MADE);
  });

  it("any handle, comment and demand comes back", () => {
    const { key } = parseOpensshKey(MADE);
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 300 }),
        fc.stringMatching(/^[a-z0-9 ._-]{0,40}$/),
        fc.boolean(),
        fc.nat(),
        (handle, comment, userVerification, check) => {
          const wanted = { key, handle, comment, userVerification };
          expect(parseOpensshKey(encodeOpensshKey(wanted, check))).toEqual(wanted);
        },
      ),
    );
  });

  const body = bodyOf(MADE);
  const end = Buffer.from("x y");
  it.each([
    ["nothing", "", /does not begin as one/],
    ["a line before it", `\n${MADE}`, /does not begin as one/],
    ["a line after it", `${MADE}\n`, /not (?:written|canonical)/],
    ["carriage returns", MADE.replaceAll("\n", "\r\n"), /does not begin/],
    ["another magic", fileOf(Buffer.concat([Buffer.from("openssh-key-v2"), body.subarray(14)])), /not written/],
    ["cut short", fileOf(body.subarray(0, 200)), /cut short/],
    ["trailing bytes", fileOf(Buffer.concat([body, Buffer.of(0)])), /not written/],
    [
      "two check numbers",
      replaced(Buffer.from("e074dd54e074dd54", "hex"), Buffer.from("e074dd54e074dd55", "hex")),
      /not written/,
    ],
    ["other padding", replaced(Buffer.from("0102030405", "hex"), Buffer.from("0102030404", "hex")), /not written/],
    ["another comment length", replaced(end, Buffer.from("x yz")), /./],
    ["no touch", replaced(Buffer.from("61726b01", "hex"), Buffer.from("61726b00", "hex")), /without being touched/],
    ["unknown flags", replaced(Buffer.from("61726b01", "hex"), Buffer.from("61726b81", "hex")), /flags/],
    ["another application inside", replaced(Buffer.from("touchmark"), Buffer.from("touchmarl")), /not written/],
    ["a cipher", fileOf(Buffer.concat([body.subarray(0, 19), Buffer.from("nonf"), body.subarray(23)])), /passphrase/],
  ])("refused: %s", (_what, file, message) => {
    expect(refusal(file)).toMatch(message);
    expect(refusal(file)).not.toBe("accepted");
  });

  it("a demand for verification is read from the flags; a resident key's flag does no harm", () => {
    const verified = replaced(Buffer.from("61726b01", "hex"), Buffer.from("61726b25", "hex"));
    expect(parseOpensshKey(verified).userVerification).toBe(true);
  });
});
