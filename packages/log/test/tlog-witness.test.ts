import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  COSIGNATURE_ED25519,
  cosigner,
  encodeAddCheckpoint,
  encodeCheckpoint,
  encodeSignatureLine,
  askByFetch,
  fetchCosignature,
  LogError,
  noteSigner,
  parseAddCheckpoint,
  parseNote,
  parseTlogPolicy,
  signCheckpoint,
} from "../src/index.ts";
import { VECTORS } from "./support/cosigning-vectors.ts";
import type { PolicyCase } from "./support/policy-cases.ts";

const NOW = 1_800_000_000;
const signer = noteSigner("log.example/main", new Uint8Array(32).fill(1));
const witness = cosigner("w.example", new Uint8Array(32).fill(2), COSIGNATURE_ED25519);
const checkpoint = { origin: "log.example/main", size: 5, root: new Uint8Array(32).fill(5) };
const note = signCheckpoint(checkpoint, signer);
const text = encodeCheckpoint(checkpoint);
const request = { oldSize: 3, proof: [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)], note };
const bytes = (source: string): Uint8Array => Buffer.from(source, "utf8");
const failure = (code: string, message = /./): unknown =>
  expect.objectContaining({ code, message: expect.stringMatching(message) as unknown });

describe("[Q-17] add-checkpoint", () => {
  test("is read as it was written", () => {
    const read = parseAddCheckpoint(bytes(encodeAddCheckpoint(request)));
    expect(read).toEqual({ ...request, parsed: parseNote(bytes(note)) });
  });

  test("whatever else comes is refused as a bad request and nothing worse", () => {
    const good = bytes(encodeAddCheckpoint(request));
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.integer({ min: 0, max: 255 }), fc.boolean(), (at, value, cut) => {
        const changed = Uint8Array.from(cut ? good.subarray(0, at) : good);
        if (!cut) changed[at] = value;
        try {
          parseAddCheckpoint(changed);
        } catch (error) {
          expect(error).toEqual(failure("BAD_REQUEST"));
        }
      }),
      { numRuns: 500, seed: 1 },
    );
  });
});

test("[Q-7] a policy changed in any byte is read or refused, and nothing worse", () => {
  const policies = JSON.parse(readFileSync(join(VECTORS, "policies.json"), "utf8")) as PolicyCase[];
  for (const { policy } of policies.slice(0, 6)) {
    const good = bytes(policy);
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.integer({ min: 0, max: 255 }), (at, value) => {
        const changed = Uint8Array.from(good);
        changed[at] = value;
        try {
          parseTlogPolicy(changed);
        } catch (error) {
          expect(error).toEqual(failure("BAD_POLICY"));
        }
      }),
      { numRuns: 100, seed: 1 },
    );
  }
});

describe("[Q-26] what a witness answers", () => {
  const ask = async (status: number, body: string, now: number = NOW): Promise<unknown> => {
    const sent: { url: string; init: RequestInit }[] = [];
    const fetch = async (url: string, init: RequestInit): Promise<Response> => {
      sent.push({ url, init });
      return new Response(body, { status });
    };
    const answer = await fetchCosignature(
      { url: "https://w.example/prefix/", key: witness.key, ask: askByFetch(fetch) },
      request,
      text,
      now,
    );
    expect(sent[0]).toMatchObject({
      url: "https://w.example/prefix/add-checkpoint",
      init: { method: "POST", body: encodeAddCheckpoint(request), redirect: "error" },
    });
    return answer;
  };
  const line = (time: number, of: string = text): string => encodeSignatureLine(witness.cosign(of, time));

  test("200 with its own cosignature of about now, among whatever others", async () => {
    const other = encodeSignatureLine(cosigner("x", new Uint8Array(32).fill(9), COSIGNATURE_ED25519).cosign(text, NOW));
    for (const body of [line(NOW), other + line(NOW + 600), line(NOW - 601) + line(NOW - 600)])
      expect(await ask(200, body)).toMatchObject({ kind: "cosigned", line: { name: "w.example" } });
  });

  test.each([
    ["nothing of its own key", encodeSignatureLine(signer.sign(text))],
    ["another checkpoint's", line(NOW, encodeCheckpoint({ ...checkpoint, size: 6 }))],
    ["a time that is off", line(NOW - 601)],
    ["a time that is ahead", line(NOW + 601)],
    ["no time", line(0)],
  ])("200 with %s is no cosignature", async (_, body) => {
    await expect(ask(200, body)).rejects.toEqual(failure("BAD_ANSWER", /of its own key and of about now/));
  });

  test("200 with what is no signature line is refused", async () => {
    for (const body of ["", "ok\n", line(NOW).trimEnd()]) await expect(ask(200, body)).rejects.toBeInstanceOf(LogError);
    await expect(ask(200, line(NOW).repeat(2000))).rejects.toEqual(failure("TOO_LARGE"));
  });

  test("409 with or without the size", async () => {
    expect(await ask(409, "7\n")).toEqual({ kind: "conflict", size: 7 });
    expect(await ask(409, "7")).toEqual({ kind: "conflict", size: 7 });
    for (const body of ["", "seven\n", "07\n", "-1\n"])
      expect(await ask(409, body)).toEqual({ kind: "conflict", size: undefined });
  });

  test("anything else is refused in the witness's words, cleaned", async () => {
    await expect(ask(422, "no \u001b[31mproof\n")).rejects.toEqual(
      failure("REFUSED", /w\.example answered 422: no \\u\S*proof$/),
    );
    await expect(ask(503, "")).rejects.toEqual(failure("REFUSED", /answered 503\.$/));
  });
});
