/** S3-compatible storage that isn't ours: OpenStack Swift with its S3 interface, from Debian, in a process of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";

const SCRIPT = join(import.meta.dirname, "serve-swift.py");
// Debian's, for which its python3-swift is installed.
const PYTHON = "/usr/bin/python3";
const KEY = "test:tester";
// Milliseconds to start.
const PATIENCE = 60_000;
const SECRET = "touchmark-test-secret";

export type RunningSwift = {
  /** The address of a new, empty bucket, with a prefix. */
  readonly makeBucket: () => Promise<string>;
  /** What the official client reads its credentials from. */
  readonly env: { readonly AWS_ACCESS_KEY_ID: string; readonly AWS_SECRET_ACCESS_KEY: string };
  readonly stop: () => Promise<void>;
};

/** Starts it, with its files in a folder in `place`, and sets the credentials for this process. */
export async function startSwift(place: string = tmpdir()): Promise<RunningSwift> {
  const folder = mkdtempSync(join(place, "touchmark-swift-"));
  const child = spawn(PYTHON, [SCRIPT, folder, KEY], { stdio: ["pipe", "pipe", "pipe"] });
  let complaints = "";
  child.stderr.on("data", (text: Buffer) => (complaints += String(text)));
  child.stdin.write(`${SECRET}\n`);
  const died = once(child, "exit").then(() => {
    throw new Error(
      `Swift did not start, or not in time. On Debian: apt-get install python3-swift\n${complaints.slice(-2000)}`,
    );
  });
  const late = setTimeout(() => child.kill("SIGKILL"), PATIENCE);
  const [line] = (await Promise.race([once(child.stdout, "data"), died])) as [Buffer];
  clearTimeout(late);
  died.catch(() => undefined);
  const endpoint = `http://127.0.0.1:${Number(String(line))}`;
  const env = { AWS_ACCESS_KEY_ID: KEY, AWS_SECRET_ACCESS_KEY: SECRET };
  Object.assign(process.env, env);
  const client = new S3Client({ endpoint, region: "us-east-1", forcePathStyle: true });
  let buckets = 0;
  return {
    makeBucket: async () => {
      const name = `log-${++buckets}`;
      await client.send(new CreateBucketCommand({ Bucket: name }));
      return `s3://${name}/some/prefix?endpoint=${encodeURIComponent(endpoint)}&region=us-east-1`;
    },
    env,
    stop: async () => {
      client.destroy();
      const ended = once(child, "exit");
      child.stdin.end();
      const tooLong = setTimeout(() => child.kill("SIGKILL"), 5000);
      await ended;
      clearTimeout(tooLong);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
