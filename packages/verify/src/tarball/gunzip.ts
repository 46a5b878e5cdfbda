import { crc32, createInflateRaw } from "node:zlib";
import { VerifyError } from "../errors.ts";
import type { TarballLimits } from "./limits.ts";

const MAX_HEADER = 70_000;
const TRAILER = 8;

/**
 * Inflates exactly one gzip member (RFC 1952) and hands its content on, piece by piece. `node:zlib`'s own gunzip would go on with a second
 * member and ignore what follows the last; other clients do neither, so both are refused here. Zero bytes may follow (tape padding).
 * Throws `TARBALL_MALFORMED`, `TARBALL_TOO_LARGE`, `TARBALL_TRAILING_DATA`, and whatever `onContent` throws.
 */
export async function gunzip(
  input: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  limits: TarballLimits,
  onContent: (content: Buffer) => void,
): Promise<void> {
  const member = inflateMember(limits, onContent);
  let header: Buffer | undefined = Buffer.alloc(0);
  let trailer: Buffer | undefined;
  let total = 0;
  try {
    for await (const piece of input) {
      let bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.length);
      total += bytes.length;
      if (total > limits.compressed) throw tooLarge(`it is over ${limits.compressed} bytes`);
      if (header) {
        header = Buffer.concat([header, bytes]);
        const length = headerLength(header);
        if (length === undefined) {
          if (header.length > MAX_HEADER) throw malformed("its gzip header is too long");
          continue;
        }
        bytes = header.subarray(length);
        header = undefined;
      }
      const left = trailer ? bytes : await member.write(bytes);
      if (left) trailer = takeTrailer(trailer ?? Buffer.alloc(0), left);
    }
    if (!trailer || trailer.length < TRAILER) throw malformed("it ends too early");
    const { crc, length } = await member.end();
    if (trailer.readUInt32LE(0) !== crc || trailer.readUInt32LE(4) !== length % 2 ** 32) {
      throw malformed("its gzip checksum is wrong");
    }
  } finally {
    member.destroy();
  }
}

interface Member {
  /** Resolves to what follows the deflate stream once that has ended. */
  write(bytes: Buffer): Promise<Buffer | undefined>;
  end(): Promise<{ crc: number; length: number }>;
  destroy(): void;
}

function inflateMember(limits: TarballLimits, onContent: (content: Buffer) => void): Member {
  const inflate = createInflateRaw({ chunkSize: 65_536 });
  const ended = Promise.withResolvers<void>();
  ended.promise.catch(() => undefined); // it is awaited at the end, a failure is seen by `write` first
  let failure: unknown;
  let crc = 0;
  let length = 0;
  let fed = 0;
  const fail = (cause: unknown): void => {
    failure ??= cause instanceof VerifyError ? cause : malformed("it is not well-formed gzip", cause);
    inflate.destroy();
    ended.reject(failure);
  };
  inflate.on("error", fail);
  inflate.on("end", () => ended.resolve());
  inflate.on("data", (content: Buffer) => {
    if (failure !== undefined) return;
    length += content.length;
    try {
      if (length > limits.content) throw tooLarge(`it holds over ${limits.content} bytes`);
      if (length > limits.freeContent && length > fed * limits.ratio) {
        throw tooLarge(`it unpacks to over ${limits.ratio} times its size`);
      }
      crc = crc32(content, crc);
      onContent(content);
    } catch (cause) {
      fail(cause);
    }
  });
  return {
    async write(bytes) {
      fed += bytes.length;
      await new Promise<void>((resolve, reject) => {
        inflate.once("close", resolve); // a destroyed stream may never call back
        inflate.write(bytes, (cause) => {
          inflate.off("close", resolve);
          if (cause && failure === undefined) reject(cause);
          else resolve();
        });
      });
      if (failure !== undefined) throw failure;
      const left = fed - inflate.bytesWritten;
      return left > 0 ? bytes.subarray(bytes.length - left) : undefined;
    },
    async end() {
      await ended.promise;
      return { crc, length };
    },
    destroy: () => inflate.destroy(),
  };
}

/** The length of the member's header, or `undefined` while it is incomplete. */
function headerLength(bytes: Buffer): number | undefined {
  if (bytes.length < 10) return undefined;
  const flags = bytes[3]!;
  if (bytes.readUInt16BE(0) !== 0x1f8b || bytes[2] !== 8 || (flags & 0xe0) !== 0) throw malformed("it is not gzip");
  let end = 10;
  if (flags & 4) {
    if (bytes.length < end + 2) return undefined;
    end += 2 + bytes.readUInt16LE(end);
  }
  for (const flag of [8, 16]) {
    if (!(flags & flag)) continue;
    const zero = bytes.indexOf(0, end);
    if (zero < 0) return undefined;
    end = zero + 1;
  }
  if (flags & 2) end += 2;
  return bytes.length < end ? undefined : end;
}

/** What is known of the eight bytes after the deflate stream; whatever follows them must be zero. */
function takeTrailer(trailer: Buffer, bytes: Buffer): Buffer {
  const joined = Buffer.concat([trailer, bytes]);
  if (joined.subarray(TRAILER).some((byte) => byte !== 0)) {
    throw new VerifyError("TARBALL_TRAILING_DATA", "The tarball is refused: data follows its gzip member.");
  }
  return joined.subarray(0, TRAILER);
}

function tooLarge(what: string): VerifyError {
  return new VerifyError("TARBALL_TOO_LARGE", `The tarball is refused: ${what}.`);
}

function malformed(what: string, cause?: unknown): VerifyError {
  return new VerifyError("TARBALL_MALFORMED", `The tarball is refused: ${what}.`, "", cause);
}
