import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { addSignature, encodeEnvelope, encodeHex, encodeRelease, parseEnvelope, verifyEnvelope } from "@touchmark/core";
import { nodeCrypto } from "@touchmark/log";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { makeSoftKey } from "../../packages/core/test/support/soft-key.ts";
import { packRelease } from "../support/packed.ts";
import { type Outcome, type Place, runTouchmark } from "../support/touchmark.ts";
import { openWorkshop, type Workshop } from "../support/workshop.ts";

// A statement goes from signer to signer by the log's inbox or a git branch, where others can write as well. A signature by a key that has no say is as good
// as any, and one of them would have the log refuse the whole release; with enough of them the file could not even be read again.

let workshop: Workshop;
let version = 0;
beforeAll(async () => {
  workshop = await openWorkshop({ registry: "none" });
  await workshop.claim("pewter");
});
afterAll(() => workshop.close());

const strangers = Array.from({ length: 64 }, (_, i) => makeSoftKey({ seed: `stranger ${i}` }));

function withStrangers(envelope: Uint8Array, count: number): Uint8Array {
  const read = parseEnvelope(envelope);
  const signatures = strangers.slice(0, count).map((key) => key.sign(nodeCrypto, read.payload));
  return encodeEnvelope(signatures.reduce(addSignature, { ...read, signatures: [] }));
}

let file: string;
let own: Uint8Array;
beforeEach(async () => {
  file = `${workshop.putOnDesk(packRelease({ name: "pewter", version: `1.0.${version++}` }))}.touchmark`;
  await workshop.make(`sign ${file.replace(/\.touchmark$/, "")} --holder alice --yes`);
  own = readFileSync(join(workshop.makers.directory, file));
});

const run = (command: string, more: Partial<Place> = {}): Promise<Outcome> =>
  runTouchmark(command.split(" "), { ...workshop.makers, ...more });
const signersOf = (): string[] =>
  parseEnvelope(readFileSync(join(workshop.makers.directory, file))).signatures.map(({ keyid }) => keyid);

describe("[L-52] foreign signatures in what a carrier gives", () => {
  test.each([1, 64])("of the inbox, %i of them: left out, and the release is signed and logged", async (count) => {
    const hostile: Place["fetch"] = async (url, init) =>
      /\/inbox\/[0-9a-f]{64}$/.test(url) && init.method === "GET"
        ? new Response(withStrangers(own, count))
        : fetch(url, init);
    const signed = await run(`release sign ${file} --inbox --holder bob --yes`, { fetch: hostile });
    expect(signed.exit, signed.text).toBe(0);
    expect(signed.stderr).toMatch(/the signature by SHA256:\S+ is left out: that key has no say in this statement/);
    expect(signersOf()).toHaveLength(2);
    expect((await run(`submit ${file}`)).exit).toBe(0);
  });

  test("of a branch: left out there too, when ours is given back", async () => {
    const git = (...args: string[]): string =>
      execFileSync("git", ["-c", "user.name=x", "-c", "user.email=x@example.org", ...args], {
        cwd: workshop.makers.directory,
        encoding: "utf8",
        stdio: ["pipe", "pipe", "ignore"],
      }).trim();
    execFileSync("git", ["init", "--quiet", "--bare", join(workshop.root, "remote.git")]);
    git("init", "--quiet");
    git("remote", "add", "origin", join(workshop.root, "remote.git"));
    writeFileSync(join(workshop.root, "hostile"), withStrangers(own, 64));
    const blob = git("hash-object", "-w", join(workshop.root, "hostile"));
    const tree = execFileSync("git", ["mktree"], {
      cwd: workshop.makers.directory,
      input: `100644 blob ${blob}\t${file}\n`,
      encoding: "utf8",
    }).trim();
    const commit = git("commit-tree", tree, "-m", "hostile");
    git("push", "--quiet", "origin", `${commit}:refs/heads/releases`);
    // A ref that only ends like the branch is not it.
    const other = git("commit-tree", git("mktree"), "-m", "other");
    git("push", "--quiet", "origin", `${other}:refs/heads/a/refs/heads/releases`);

    const signed = await run(`release sign ${file} --branch releases --holder bob --yes`);
    expect(signed.exit, signed.text).toBe(0);
    expect(signersOf()).toHaveLength(2);
    git("fetch", "--quiet", "origin", "refs/heads/releases");
    expect(parseEnvelope(Buffer.from(git("show", `FETCH_HEAD:${file}`))).signatures).toHaveLength(2);
  });
});

describe("a release whose stage is no id", () => {
  test.each(["--registry=https://thief.example", "1&calc", "$(id)"])("%s runs nothing", async (stage) => {
    const payload = encodeRelease({
      logs: [workshop.log.endpoint.origin],
      releases: [
        { releaseId: `npm:npmjs/pewter@3.0.${version}`, sha512: "0".repeat(128), tarSha512: "0".repeat(128), stage },
      ],
    });
    const name = `staged-${version}.touchmark`;
    writeFileSync(join(workshop.makers.directory, name), encodeEnvelope({ payload, signatures: [] }));
    for (const holder of ["alice", "bob"]) await workshop.make(`sign ${name} --holder ${holder} --yes`);
    const published = await run(`release publish ${name}`);
    expect([published.exit, published.text]).toEqual([1, expect.stringContaining("a stage that no registry gives")]);
    expect(published.text).not.toContain("running npm");
  });
});

describe("[L-50] what the log's inbox takes", () => {
  const post = (envelope: Uint8Array): Promise<Response> =>
    fetch(`${workshop.log.endpoint.url}inbox`, {
      method: "POST",
      body: JSON.stringify({ envelope: Buffer.from(envelope).toString() }),
    });

  test("is signatures of those alone who have a say", async () => {
    const refused = await post(withStrangers(own, 1));
    expect([refused.status, await refused.json()]).toEqual([
      422,
      expect.objectContaining({ code: "WRONG_KEY", rule: "L-50" }),
    ]);
    expect((await post(own)).status).toBe(200);
  });

  test("is no sixty-four unsigned rubbish for everybody's release", async () => {
    for (let i = 0; i < 70; i++) {
      const rubbish = workshop.putOnDesk(packRelease({ name: "pewter", version: `9.${version}.${i}` }));
      await workshop.make(`release propose ${rubbish}`);
      const bytes = readFileSync(join(workshop.makers.directory, `${rubbish}.touchmark`));
      const { status } = await post(bytes);
      if (status === 429) break;
      expect(i).toBeLessThan(64);
    }
    expect((await post(own)).status).toBe(200);
    const digest = encodeHex(nodeCrypto.sha256(parseEnvelope(own).payload));
    const there = await fetch(`${workshop.log.endpoint.url}inbox/${digest}`);
    expect(verifyEnvelope(nodeCrypto, await there.text()).signers).toHaveLength(1);
  });
});
