import { generateKeyPairSync, sign } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { nodeCrypto } from "@touchmark/log";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeChecks, encodeChecks, type SignatureCheck } from "../src/signatures/check-message.ts";
import { createCheckPool } from "../src/signatures/check-pool.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "touchmark-pool-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const MESSAGE = Buffer.from("message");

function goodCheck(algorithm: SignatureCheck["algorithm"]): SignatureCheck {
  const { publicKey, privateKey } =
    algorithm === "p256" ? generateKeyPairSync("ec", { namedCurve: "P-256" }) : generateKeyPairSync("ed25519");
  const key = publicKey.export({ format: "der", type: "spki" }).subarray(algorithm === "p256" ? -65 : -32);
  return {
    algorithm,
    key,
    message: MESSAGE,
    signature: sign(algorithm === "p256" ? "sha256" : null, MESSAGE, privateKey),
  };
}

/** A good check, and all that may be wrong with one. */
function cases(algorithm: SignatureCheck["algorithm"]): [SignatureCheck, boolean][] {
  const [one, two] = [goodCheck(algorithm), goodCheck(algorithm)];
  return [
    [one, true],
    [{ ...one, key: two.key }, false],
    [{ ...one, message: Buffer.from("massage") }, false],
    [{ ...one, message: new Uint8Array(0) }, false],
    [{ ...one, signature: two.signature }, false],
    [{ ...one, signature: one.signature.subarray(1) }, false],
    [{ ...one, signature: new Uint8Array(0) }, false],
    [{ ...one, key: new Uint8Array(0) }, false],
    [{ ...one, algorithm: algorithm === "p256" ? "ed25519" : "p256" }, false],
    [two, true],
  ];
}

/** A thread that does as this says. */
function thread(program: string): URL {
  const path = join(folder, `${Math.random()}.mjs`);
  writeFileSync(path, `import { parentPort } from "node:worker_threads";\n${program}`);
  return pathToFileURL(path);
}

describe("checks in threads", () => {
  test("come out of a message as they went into it", () => {
    const checks = [...cases("ed25519"), ...cases("p256")].map(([check]) => check);
    const plain = checks.map(({ algorithm, key, message, signature }) => ({
      algorithm,
      key: Buffer.from(key),
      message: Buffer.from(message),
      signature: Buffer.from(signature),
    }));
    const read = decodeChecks(encodeChecks(checks)).map((check) => ({
      algorithm: check.algorithm,
      key: Buffer.from(check.key),
      message: Buffer.from(check.message),
      signature: Buffer.from(check.signature),
    }));
    expect(read).toEqual(plain);
    expect(decodeChecks(encodeChecks([]))).toEqual([]);
  });

  test("have the outcomes that the main thread's have, each asker its own", async () => {
    const all = [...cases("ed25519"), ...cases("p256")];
    for (const most of [1, 3]) {
      const checkAll = createCheckPool(undefined, most);
      const asked: [SignatureCheck, boolean][][] = [all, [], all.toReversed(), ...all.map((one) => [one])];
      const outcomes = await Promise.all(asked.map((group) => checkAll(group.map(([check]) => check))));
      expect(outcomes).toEqual(asked.map((group) => group.map(([, good]) => good)));
      // Later messages, to threads that are there already.
      for (const group of asked) {
        expect(await checkAll(group.map(([check]) => check))).toEqual(group.map(([, good]) => good));
      }
    }
    for (const [{ algorithm, key, message, signature }, good] of all) {
      const here =
        algorithm === "p256"
          ? nodeCrypto.verifyP256(key, message, signature)
          : nodeCrypto.verifyEd25519(key, message, signature);
      expect(here).toBe(good);
    }
  });

  test("are refused if the thread is lost, and made by the next one", async () => {
    const counter = join(folder, "begun");
    writeFileSync(counter, "");
    const dying = thread(`
      import { appendFileSync, readFileSync } from "node:fs";
      appendFileSync(${JSON.stringify(counter)}, "x");
      const first = readFileSync(${JSON.stringify(counter)}, "utf8").length === 1;
      parentPort.on("message", () => {
        if (first) throw new Error("out of order");
        parentPort.postMessage(Uint8Array.of(1));
      });`);
    const checkAll = createCheckPool(dying, 1);
    const asked = [goodCheck("p256"), goodCheck("p256")].map((check) => checkAll([check]));
    for (const outcome of await Promise.allSettled(asked))
      expect(outcome).toMatchObject({ status: "rejected", reason: { code: "INTERNAL" } });
    expect(await checkAll([goodCheck("p256")])).toEqual([true]);
  });

  test("are refused if the thread ends, or answers too little", async () => {
    const check = goodCheck("ed25519");
    const ending = createCheckPool(thread(`parentPort.on("message", () => process.exit(0));`), 1);
    await expect(ending([check])).rejects.toMatchObject({ code: "INTERNAL" });
    const silent = createCheckPool(
      thread(`parentPort.on("message", () => parentPort.postMessage(Uint8Array.of(1)));`),
      1,
    );
    expect(await silent([check])).toEqual([true]);
    for (const outcome of await Promise.allSettled([silent([check]), silent([check])]))
      expect(outcome).toMatchObject({ status: "rejected", reason: { code: "INTERNAL" } });
  });
});
