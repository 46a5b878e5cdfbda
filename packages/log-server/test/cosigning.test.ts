import { cpSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { encodeSignatureLine, fetchConsistency, parseAddCheckpoint, parseTlogPolicy } from "@touchmark/log";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createCosigning } from "../src/index.ts";
import {
  type CosignedLog,
  type CosignedLogOptions,
  cosignersOf,
  policyOf,
  policyText,
  runCosignedLog,
  serveFolder,
} from "./support/cosigned-log.ts";
import { signer, START, temporaryFolder } from "./support/log.ts";
import { claim, person, release } from "./support/statements.ts";
import { type RunningWitness, runWitness, witnessKeys } from "./support/witness.ts";

const alice = person("alice");
const claimA = claim({ "npm:npmjs/a": [] }, [alice]);
const refused = (code: string, status: number): unknown =>
  expect.objectContaining({ refusal: expect.objectContaining({ code, status }) as unknown });

let witnesses: RunningWitness[];
const cleanups: (() => Promise<unknown> | void)[] = [];
beforeEach(async () => {
  witnesses = await Promise.all(
    ["w0.example", "w1.example", "w2.example"].map((name) => runWitness(name, { logs: [signer.key] }, START)),
  );
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  for (const witness of witnesses) await witness.end();
});

async function run(policy: string, options?: CosignedLogOptions): Promise<CosignedLog> {
  const log = await runCosignedLog(policy, options);
  cleanups.push(() => log.end());
  return log;
}

async function eventually(isTrue: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (await isTrue()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("It did not come true.");
}

describe("[Q-24] to [Q-26] a log with witnesses", () => {
  test("answers with a checkpoint that its quorum cosigned, and shows no other one", async () => {
    const log = await run(policyOf(2, witnesses));
    expect(cosignersOf((await log.checkpoint()).note, witnesses).length).toBeGreaterThanOrEqual(2);
    const { checkpoint, entries } = await log.submit(claimA);
    expect(entries.get("npm:npmjs/a")).toBe(1);
    expect(cosignersOf(checkpoint.note, witnesses).length).toBeGreaterThanOrEqual(2);
    expect((await log.checkpoint()).size).toBe(3);
    expect(log.trouble).toEqual([]);
  });

  test("cosignatures by ML-DSA-44 do as well", async () => {
    const by = witnesses.map(({ url, keys }) => ({ url, key: keys[1].key }));
    const log = await run(policyText(3, by));
    const { checkpoint } = await log.submit(claimA);
    expect(cosignersOf(checkpoint.note, witnesses).map(([name]) => name)).toEqual(witnesses.map(({ keys }) => keys[0].key.name)); // prettier-ignore
  });

  test("[Q-25] a witness that is away and one that never answers delay nothing beyond the quorum", async () => {
    const silent = await serve(() => undefined);
    const policy = policyText(2, [
      ...witnesses.map(({ url, keys }) => ({ url, key: keys[0].key })),
      { url: silent, key: witnessKeys("silent.example")[0].key },
    ]);
    await witnesses[0]!.stop();
    const log = await run(policy, { cosigning: { timeout: 60_000 } });
    const begun = performance.now();
    await log.submit(claimA);
    for (let i = 0; i < 10; i++) await log.submit(release([`npm:npmjs/a@1.0.${i}`], [alice]));
    expect(performance.now() - begun).toBeLessThan(4000);
    expect(log.trouble).toEqual([expect.stringMatching(/w0\.example does not cosign/)]);
    witnesses[0] = await witnesses[0]!.restart();
  });

  test("a cosignature that comes late is shown too", async () => {
    const log = await run(policyOf(1, witnesses));
    await log.submit(claimA);
    await eventually(async () => cosignersOf((await log.checkpoint()).note, witnesses).length === 3);
    expect((await log.checkpoint()).size).toBe(3);
  });

  test("[Q-26] other people's witnesses: no size on 409, strange lines beside the good one, false ones", async () => {
    const [mine] = witnessKeys("odd.example");
    let known = 0;
    const answers: number[] = [];
    const odd = await serve((body) => {
      const { oldSize, parsed } = parseAddCheckpoint(body);
      answers.push(oldSize);
      if (oldSize !== known) return [409, ""];
      known = Number(parsed.text.split("\n")[1]);
      const lines = [
        mine.cosign(`log.example/other\n${parsed.text.split("\n").slice(1).join("\n")}`, START),
        mine.cosign(parsed.text, START + 5000),
        mine.cosign(parsed.text, 0),
        witnessKeys("odder.example")[0].cosign(parsed.text, START),
        mine.cosign(parsed.text, START + 1),
      ];
      return [200, lines.map(encodeSignatureLine).join("")];
    });
    const policy = policyText(1, [{ url: odd, key: mine.key }]);
    const log = await run(policy);
    await log.submit(claimA);
    known = 0; // it was set up anew
    await log.submit(release(["npm:npmjs/a@1.0.0"], [alice]));
    expect(answers).toEqual([1, 0, 1, 3, 5, 0]);
    expect(log.trouble).toEqual([]);
  });

  test.each([
    [
      "answers with nothing of its own",
      [200, encodeSignatureLine(witnessKeys("x")[0].cosign(`a\n1\n${"A".repeat(43)}=\n`, START))],
    ],
    ["answers with rubbish", [200, "rubbish"]],
    ["knows nothing of the log", [404, "unknown"]],
    ["says another size each time", undefined],
  ])("a witness that %s is none, and the operator is told once", async (_, answer) => {
    let size = 0;
    const odd = await serve(() => (answer === undefined ? [409, `${size++ % 2}\n`] : (answer as [number, string])));
    const log = await run(policyText(1, [{ url: odd, key: witnessKeys("odd.example")[0].key }]));
    await expect(log.submit(claimA)).rejects.toEqual(refused("NOT_WITNESSED", 503));
    expect(log.trouble).toHaveLength(1);
  });
});

test("[Q-26] a witness that names a new size each time is not asked once a leaf", async () => {
  let size = 300;
  let asked = 0;
  const odd = await serve(() => [409, `${(asked++, --size)}\n`]);
  const honest = { url: witnesses[0]!.url, key: witnesses[0]!.keys[0].key };
  const log = await run(policyText(1, [honest, { url: odd, key: witnessKeys("odd.example")[0].key }]));
  const packages = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`npm:npmjs/p${i}`, []]));
  await log.submit(claim(packages, [alice]));
  await eventually(async () => asked > 3);
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect(asked).toBeLessThanOrEqual(3 * 8); // what was asked at the start, and twice since then
});

describe("[Q-27] without a quorum", () => {
  test("submitters are told, nothing more is taken in, and all is made good when the witnesses are back", async () => {
    const log = await run(policyOf(3, witnesses));
    await witnesses[1]!.stop();
    await expect(log.submit(claimA)).rejects.toEqual(refused("NOT_WITNESSED", 503));
    const begun = performance.now();
    await expect(log.submit(claimA)).rejects.toEqual(refused("NOT_WITNESSED", 503));
    await expect(log.submit(claim({ "npm:npmjs/b": [] }, [alice]))).rejects.toEqual(refused("NOT_WITNESSED", 503));
    expect(performance.now() - begun).toBeLessThan(400); // nobody waits again for what failed to come just now
    expect((await log.checkpoint()).size).toBe(1);

    witnesses[1] = await witnesses[1]!.restart();
    await eventually(async () => (await log.checkpoint()).size === 3);
    const { entries, checkpoint } = await log.submit(claimA);
    expect([...entries]).toEqual([["npm:npmjs/a", 1]]);
    expect(cosignersOf(checkpoint.note, witnesses)).toHaveLength(3);
    expect((await log.submit(claim({ "npm:npmjs/b": [] }, [alice]))).entries.get("npm:npmjs/b")).toBe(3);
    expect(log.trouble).toEqual([expect.stringMatching(/does not cosign/), expect.stringMatching(/cosigns again/)]);
  });

  test("[L-30] what was stored and not published is cosigned and published first after a restart", async () => {
    let log = await run(policyOf(2, witnesses));
    await Promise.all([witnesses[0]!.stop(), witnesses[1]!.stop()]);
    await expect(log.submit(claimA)).rejects.toEqual(refused("NOT_WITNESSED", 503));
    log = await log.restart();
    cleanups.push(() => log.stop());
    expect((await log.checkpoint()).size).toBe(1);
    await expect(log.submit(claimA)).rejects.toEqual(refused("NOT_WITNESSED", 503));
    witnesses[0] = await witnesses[0]!.restart();
    witnesses[1] = await witnesses[1]!.restart();
    log = await log.restart();
    const shown = await log.checkpoint();
    expect(shown.size).toBe(3);
    expect(cosignersOf(shown.note, witnesses).length).toBeGreaterThanOrEqual(2);
    expect((await log.submit(claimA)).entries.get("npm:npmjs/a")).toBe(1);
  });

  test("a log that had no witnesses before admits nothing until they have cosigned what it shows", async () => {
    await witnesses[0]!.stop();
    const log = await run(policyOf(3, witnesses));
    await expect(log.submit(claimA)).rejects.toEqual(refused("NOT_WITNESSED", 503));
    expect((await log.checkpoint()).size).toBe(1);
    witnesses[0] = await witnesses[0]!.restart();
    await eventually(async () => cosignersOf((await log.checkpoint()).note, witnesses).length === 3);
    expect((await log.submit(claimA)).entries.get("npm:npmjs/a")).toBe(1);
  });
});

describe("[Q-28] while nothing is submitted", () => {
  test("the newest checkpoint is cosigned again, without a new leaf; so too after a restart", async () => {
    let log = await run(policyOf(2, witnesses));
    await log.submit(claimA);
    const newest = async (hours: number): Promise<boolean> => {
      const { size, note } = await log.checkpoint();
      expect(size).toBe(3);
      const times = cosignersOf(note, witnesses).map(([, time]) => time);
      return times.filter((time) => time >= START + hours * 3600).length >= 2;
    };
    const clocks = [log.clock, ...witnesses.map(({ clock }) => clock)];
    for (const clock of clocks) clock.now = START + 3600 + 5;
    await eventually(() => newest(1));
    log = await log.restart();
    cleanups.push(() => log.stop());
    expect(await newest(1)).toBe(true);
    for (const clock of clocks) clock.now = START + 2 * 3600 + 10;
    witnesses[2]!.clock.now -= 20; // clocks differ
    await eventually(() => newest(2));
  });

  test("[L-33] when the quorum last stood can be watched", async () => {
    const log = await run(policyOf(2, witnesses));
    const { note } = (await log.submit(claimA)).checkpoint;
    const metrics = await (await fetch(`${log.log.url}metrics`)).text();
    const times = cosignersOf(note, witnesses).map(([, time]) => time);
    expect(times.length).toBeGreaterThanOrEqual(2);
    expect(metrics).toContain(`\ntouchmark_quorum_time_seconds ${Math.min(...times)}\n`);
  });

  test("[L-18] an epoch leaf is appended twice a day all the same", async () => {
    const log = await run(policyOf(1, witnesses));
    for (const clock of [log.clock, ...witnesses.map((witness) => witness.clock)]) clock.now = START + 43_200;
    await eventually(async () => (await log.checkpoint()).size === 2);
  });
});

describe("[L-17] two histories", () => {
  test("[L1] a second log under the same key gets no quorum, whichever came first", async () => {
    const log = await run(policyOf(2, witnesses));
    const { dir, remove } = temporaryFolder();
    cleanups.push(remove);
    await log.submit(claimA);
    const published = await log.checkpoint();
    await log.stop();
    cpSync(log.dir, dir, { recursive: true });
    const again = await log.restart();
    cleanups.push(() => again.stop());
    const copy = await serveFolder(dir, { now: START }, policyOf(2, witnesses));
    cleanups.push(() => copy.stop());
    await again.submit(release(["npm:npmjs/a@1.0.0"], [alice]));
    await expect(copy.submit(release(["npm:npmjs/a@2.0.0"], [alice]))).rejects.toEqual(refused("NOT_WITNESSED", 503));
    const { size, root } = published; // of which more witnesses' cosignatures may have come
    expect(await copy.checkpoint()).toMatchObject({ size, root });
    expect(new Set(witnesses[0]!.trouble)).toEqual(
      new Set([expect.stringMatching(/does not follow from the one of 5/)]),
    );
    await fetchConsistency(again.log, published, await again.checkpoint());
  });

  test("[L7] a log restored from an old backup is noticed by its witnesses", async () => {
    const log = await run(policyOf(2, witnesses));
    await log.submit(claimA);
    await log.stop();
    const { dir, remove } = temporaryFolder();
    cleanups.push(remove);
    cpSync(log.dir, dir, { recursive: true });
    const again = await log.restart();
    cleanups.push(() => again.stop());
    await again.submit(release(["npm:npmjs/a@1.0.0"], [alice]));
    await again.submit(release(["npm:npmjs/a@1.0.1"], [alice]));
    const old = await serveFolder(dir, { now: START }, policyOf(2, witnesses));
    cleanups.push(() => old.stop());
    await expect(old.submit(release(["npm:npmjs/a@2.0.0"], [alice]))).rejects.toEqual(refused("NOT_WITNESSED", 503));
    expect(old.trouble).toContainEqual(expect.stringMatching(/has cosigned 7 leaves of this log, which has 5/));
  });
});

describe("a policy that cannot be kept", () => {
  test.each([
    ["no cosignatures are asked for", "quorum none\n", /asks for no cosignatures/],
    ["no address", policyText(1, [{ url: "", key: witnessKeys("w")[0].key }]), /too few/],
    ["a bad address", policyText(1, [{ url: "ftp://w.example/", key: witnessKeys("w")[0].key }]), /no http/],
  ])("%s", (_, text, message) => {
    const policy = parseTlogPolicy(Buffer.from(text));
    expect(() => createCosigning({ policy, published: 1, clock: () => START })).toThrow(
      expect.objectContaining({ code: "BAD_QUORUM", message: expect.stringMatching(message) as unknown }),
    );
  });
});

/** A witness that is not ours: answers by status and body, or never. */
async function serve(answer: (body: Uint8Array) => [number, string] | undefined): Promise<string> {
  const server: Server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const found = answer(Buffer.concat(parts));
      if (found) response.writeHead(found[0]).end(found[1]);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/prefix`;
}
