/**
 * Blobs on S3-compatible storage, by the official client, which only operators with that storage install. Credentials come from the client's own chain
 * (environment, shared files, instance roles), never from the address.
 */
import { createHash } from "node:crypto";
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type * as s3Module from "@aws-sdk/client-s3";
import { LogServerError } from "../error.ts";
import { type Blob, type Blobs, CHECKPOINT } from "./blobs.ts";

/** `prefix` is empty or ends in a slash; `endpoint` and `region` where they are not the client's own. */
export type S3Address = {
  readonly bucket: string;
  readonly prefix: string;
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
};

const AT_ONCE = 32;
// Milliseconds for one attempt to put or get, and for a connection.
const TIMEOUT = 10_000;
const CONNECT_TIMEOUT = 3000;
const FOREVER = "public, max-age=31536000, immutable";

/** Throws `DRIVER_MISSING`. Nothing is asked of the storage yet. */
export async function s3Blobs({ bucket, prefix, endpoint, region }: S3Address): Promise<Blobs> {
  const { S3Client: Client, GetObjectCommand, PutObjectCommand } = await loadClient();
  const agent = { keepAlive: true, maxSockets: 2 * AT_ONCE };
  const client = new Client({
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined
      ? {}
      : // Newer checksums than Content-MD5 are not understood everywhere else.
        { endpoint, forcePathStyle: true, requestChecksumCalculation: "WHEN_REQUIRED" as const }),
    maxAttempts: 4,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT,
      requestTimeout: TIMEOUT,
      throwOnRequestTimeout: true,
      httpAgent: new HttpAgent(agent),
      httpsAgent: new HttpsAgent(agent),
    },
  });

  const put = async ({ path, bytes }: Blob): Promise<void> => {
    const shown = path === CHECKPOINT;
    const command = new PutObjectCommand({
      Bucket: bucket,
      Key: `${prefix}${path}`,
      Body: bytes,
      ContentMD5: createHash("md5").update(bytes).digest("base64"), // against damage on the way
      ContentType: typeOf(path),
      CacheControl: shown ? "no-cache" : FOREVER,
    });
    await client.send(command).catch((error: unknown) => {
      throw unreachable(error);
    });
  };

  return {
    read: async (path) => {
      try {
        const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: `${prefix}${path}` }));
        return await Body?.transformToByteArray();
      } catch (error) {
        if (error instanceof Error && ["NoSuchKey", "NotFound"].includes(error.name)) return undefined;
        throw unreachable(error);
      }
    },
    write: async (blobs) => {
      const waiting = [...blobs];
      const worker = async (): Promise<void> => {
        for (let blob = waiting.pop(); blob !== undefined; blob = waiting.pop()) await put(blob);
      };
      const outcomes = await Promise.allSettled(Array.from({ length: Math.min(AT_ONCE, blobs.length) }, worker));
      const failed = outcomes.find((outcome) => outcome.status === "rejected");
      if (failed !== undefined) throw failed.reason;
    },
    show: (note) => put({ path: CHECKPOINT, bytes: Buffer.from(note, "utf8") }),
    close: async () => client.destroy(),
  };
}

async function loadClient(): Promise<typeof s3Module> {
  try {
    return await import("@aws-sdk/client-s3");
  } catch (cause) {
    throw new LogServerError(
      "DRIVER_MISSING",
      "The client for S3 storage is not installed.",
      "Install it: npm install @aws-sdk/client-s3",
      cause,
    );
  }
}

function typeOf(path: string): string {
  if (path === CHECKPOINT || path.startsWith("earlier/")) return "text/plain; charset=utf-8";
  return path.startsWith("envelope/") ? "application/json" : "application/octet-stream";
}

function unreachable(cause: unknown): LogServerError {
  return new LogServerError("STORE_UNREACHABLE", "The log's S3 storage does not answer as it should.", "", cause);
}
