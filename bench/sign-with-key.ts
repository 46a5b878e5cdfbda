import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSoftwareAuthenticator, serveUdp, touchAfter } from "@touchmark/fido/testing";
import { encodeVerifierKey, noteSigner } from "@touchmark/log";
import { packRelease } from "../test/support/packed.ts";
import { type Benchmark, median } from "./figure.ts";
import { builtTree } from "./support/built-tree.ts";
import { ENVIRONMENT } from "./support/child-process.ts";

const ROUNDS = 9;
const ALLOWED = 300;

/** Enrolling a key and signing a tarball with it, two processes from start to end, with a finger that is already there. */
export const signWithKey: Benchmark = {
  name: "sign-with-key",
  run: async () => {
    const touchmark = join(await builtTree(), "node_modules/touchmark/dist/main.js");
    const times: { enroll: number; sign: number }[] = [];
    for (let round = -1; round < ROUNDS; round++) {
      const time = await timeOnce(touchmark);
      if (round >= 0) times.push(time);
    }
    const middle = (pick: (time: (typeof times)[number]) => number): number => median(times.map(pick));
    return [
      {
        name: "enrol + sign, two processes",
        ours: {
          what: `enrol ${Math.round(middle(({ enroll }) => enroll))} + sign ${Math.round(middle(({ sign }) => sign))}, over UDP packets`,
          value: middle(({ enroll, sign }) => enroll + sign),
        },
        floor: { what: "allowed, without the touch", value: ALLOWED },
        unit: "ms",
        target: { most: 1 },
      },
    ];
  },
};

async function timeOnce(touchmark: string): Promise<{ enroll: number; sign: number }> {
  const folder = mkdtempSync(join(tmpdir(), "touchmark-keys-"));
  const authenticator = createSoftwareAuthenticator({ touch: touchAfter(0) });
  const server = await serveUdp(authenticator);
  try {
    const { tarball } = packRelease({ name: "widget", version: "1.0.0" });
    writeFileSync(join(folder, "widget-1.0.0.tgz"), tarball);
    const signer = noteSigner("log.example/main", new Uint8Array(32).fill(7));
    const log = { url: "https://log.example/", origin: "log.example/main", key: encodeVerifierKey(signer.key) };
    const policy = { version: 1, registries: { npmjs: ["https://registry.example/"] }, log };
    writeFileSync(join(folder, "touchmark.json"), JSON.stringify(policy));
    const enroll = await timeNode(`${touchmark} key enroll --holder alice --device ${server.spec}`, folder);
    const sign = await timeNode(`${touchmark} sign widget-1.0.0.tgz --yes`, folder);
    return { enroll, sign };
  } finally {
    await server.close();
    rmSync(folder, { recursive: true });
  }
}

// Not spawnSync: the key lives in this process.
async function timeNode(command: string, cwd: string): Promise<number> {
  const start = performance.now();
  const env = { ...ENVIRONMENT, TOUCHMARK_HOME: join(cwd, ".touchmark") };
  const child = spawn(process.execPath, command.split(" "), { cwd, env, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (part: string) => (said += part));
  const [status] = (await once(child, "exit")) as [number | null];
  if (status !== 0) throw new Error(`node ${command} ended with ${status}: ${said}`);
  return performance.now() - start;
}
