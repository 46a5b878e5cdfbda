import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { nobleCrypto } from "@touchmark/core/noble";
import { encodeSshSignature, envelopeSignedBytes, SK_ECDSA } from "@touchmark/core";
import { describe, expect, test } from "vitest";
import { makeSoftKey } from "../../../core/test/support/soft-key.ts";
import { enrollInBrowser, signInBrowser } from "../../src/browser/index.ts";
import type { BrowserEdges } from "../../src/browser/index.ts";
import { codeOf, edgesFor, LOCALHOST, NO_DEMANDS, payloadOf } from "./kit.ts";

// The loopback server, asked by others than its page.

interface Answer {
  status: number;
  fields: Record<string, string>;
  headers: Record<string, string | string[] | undefined>;
}

interface Wire {
  port: number;
  token: string;
  origin: string;
  /** A request as the page sends it, save for what is said here. */
  readonly post: (path: string, body: object, headers?: Record<string, string>) => Promise<Answer>;
  readonly get: (path: string, headers?: Record<string, string>) => Promise<Answer>;
  /** What the page is given for the token. */
  readonly open: () => Promise<string>;
}

const softKey = makeSoftKey({ type: SK_ECDSA, application: "localhost", origin: "http://localhost", seed: "alice" });
const keys = [{ key: softKey.key, credentialId: Buffer.from("id") }];

/** Runs a signing request against whatever `act` does with its server. */
function signing(act: (wire: Wire) => Promise<void>, edges: Partial<BrowserEdges> = {}): Promise<unknown> {
  const request = { place: LOCALHOST, payload: payloadOf(0), keys, demands: NO_DEMANDS, crypto: nobleCrypto };
  return signInBrowser(
    request,
    edgesFor((url) => act(wireOf(url)), edges),
  );
}

describe("what the server refuses", () => {
  const own = "BROWSER_REFUSED";

  test("another origin, another site, a form, another host", async () => {
    const results: string[] = [];
    const outcome = signing(async ({ post, get, token }) => {
      const refused = async (asked: Promise<Answer>): Promise<void> => {
        const { status, fields } = await asked;
        expect(fields["message"]).toMatch(/^[A-Z].*\.$/);
        results.push(`${status} ${fields["code"]}`);
      };
      await refused(post("/open", { token }, { origin: "https://evil.example" }));
      await refused(post("/open", { token }, { origin: "http://localhost:1" }));
      await refused(post("/open", { token }, { origin: "null" }));
      await refused(post("/open", { token }, { "sec-fetch-site": "cross-site" }));
      await refused(post("/open", { token }, { "content-type": "text/plain" }));
      await refused(post("/open", { token }, { host: "evil.example" }));
      await refused(get("/", { host: "evil.example" }));
      await refused(get("/", { host: "127.0.0.1" }));
      await refused(post("/other", { token }));
      await refused(post("/open", { token: "A".repeat(token.length) }));
      await refused(post("/open", { token: token.slice(1) }));
      await refused(post("/open", []));
      await refused(post("/answer", { secret: token, answer: "{}" }));
      await refused(post("/open", { token, more: "x".repeat(200_000) }));
      throw new Error("enough");
    });
    await expect(outcome).rejects.toThrow("enough");
    expect(results).toEqual(Array.from({ length: 14 }, () => `403 ${own}`));
  });

  test("a request without an origin", async () => {
    const outcome = signing(async ({ port, token }) => {
      const body = JSON.stringify({ token });
      const text = await raw(
        port,
        `POST /open HTTP/1.1\r\nhost: localhost:${port}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      );
      expect(text).toMatch(/^HTTP\/1.1 403 /);
      throw new Error("enough");
    });
    await expect(outcome).rejects.toThrow("enough");
  });

  test("the token a second time ends it: somebody else has seen the address", async () => {
    const outcome = signing(async ({ open, post, token }) => {
      await open();
      expect((await post("/open", { token })).fields["code"]).toBe("BROWSER_LINK_USED");
    });
    expect(await codeOf(outcome)).toBe("BROWSER_LINK_USED");
  });

  test("the page may be loaded again: it has its secret", async () => {
    const outcome = signing(async ({ open, post }) => {
      const secret = await open();
      expect((await post("/open", { secret })).fields["secret"]).toBe(secret);
      await answer(post, secret, { kind: "refused", reason: "cancelled" });
    });
    expect(await codeOf(outcome)).toBe("CANCELLED");
  });

  test("a second answer", async () => {
    const outcome = signing(async ({ open, post, origin }) => {
      const secret = await open();
      const body = signedBy(origin, 0);
      const [first, second] = await Promise.all([answer(post, secret, body), answer(post, secret, body)]);
      expect([first.status, second.status].toSorted((a, b) => a - b)).toEqual([200, 409]);
      expect([first, second].find(({ status }) => status === 409)?.fields["code"]).toBe("BROWSER_OVER");
    });
    expect(await codeOf(outcome)).toBe("nothing");
  });
});

describe("what is no answer to the question", () => {
  test.each([
    ["a signature over another statement [K-9]", (origin: string) => signedBy(origin, 1), "WRONG_CHALLENGE"],
    ["a signature for another page [K-10]", () => signedBy("http://localhost.evil.example", 0), "WRONG_ORIGIN"],
    ["another key's signature", (origin: string) => signedBy(origin, 0, "mallory"), "BROWSER_GARBAGE"],
    ["a signature of a security key [K-9]", (_origin: string) => signedBy(undefined, 0), "BROWSER_GARBAGE"],
    ["a signature without touch [K-11]", (origin: string) => signedBy(origin, 0, "alice", 0), "NO_USER_PRESENCE"],
    [
      "an enrolment",
      () => ({ kind: "enrolled", clientData: "", authData: "", attestationObject: "", transports: ["usb"] }),
      "BROWSER_GARBAGE",
    ],
    ["something else", () => ({ kind: "signed" }), "MALFORMED"],
  ])("%s", async (_name, make, code) => {
    const outcome = signing(async ({ open, post, origin }) => {
      expect((await answer(post, await open(), make(origin))).status).toBe(403);
    });
    expect(await codeOf(outcome)).toBe(code);
  });

  test("[K-13] a copied passkey's signature under deviceBound", async () => {
    const request = {
      place: LOCALHOST,
      payload: payloadOf(0),
      keys,
      demands: { userVerification: false, deviceBound: true },
      crypto: nobleCrypto,
    };
    const edges = edgesFor(async (url) => {
      const { open, post, origin } = wireOf(url);
      await answer(post, await open(), signedBy(origin, 0, "alice", 0x19));
    });
    expect(await codeOf(signInBrowser(request, edges))).toBe("NOT_DEVICE_BOUND");
  });

  test("[K-17] a key made for another holder, for another page, without a key", async () => {
    const enrolled = (origin: string, challenge: string, authData: Buffer): object => ({
      kind: "enrolled",
      clientData: Buffer.from(
        `{"type":"webauthn.create","challenge":"${challenge}","origin":"${origin}","crossOrigin":false}`,
      ).toString("base64"),
      authData: authData.toString("base64"),
      attestationObject: "oA==",
      transports: [],
    });
    const challengeOf = (holder: string): string =>
      Buffer.from(nobleCrypto.sha256(Buffer.from(`touchmark enrolment v1\n${holder}\n`))).toString("base64url");
    const bare = Buffer.concat([nobleCrypto.sha256(Buffer.from("localhost")), Buffer.of(1, 0, 0, 0, 0)]);
    const other = Buffer.concat([nobleCrypto.sha256(Buffer.from("evil.example")), Buffer.of(1, 0, 0, 0, 0)]);
    const codes: string[] = [];
    for (const [holder, host, authData] of [
      ["mallory", undefined, bare],
      ["alice", "http://localhost.evil.example", bare],
      ["alice", undefined, other],
      ["alice", undefined, bare],
      ["alice", undefined, bare.subarray(1)],
    ] as const) {
      const request = { place: LOCALHOST, holder: "alice", excludeCredentialIds: [], userVerification: false };
      const edges = edgesFor(async (url) => {
        const { open, post, origin } = wireOf(url);
        await answer(post, await open(), enrolled(host ?? origin, challengeOf(holder), authData));
      });
      codes.push(await codeOf(enrollInBrowser({ ...request, crypto: nobleCrypto }, edges)));
    }
    expect(codes).toEqual(["WRONG_CHALLENGE", "WRONG_ORIGIN", "BROWSER_GARBAGE", "BROWSER_GARBAGE", "DEVICE_GARBAGE"]);
  });
});

describe("ends", () => {
  test("when nobody answers in time, and the port is closed", async () => {
    let port = 0;
    const outcome = signing(async (wire) => void ({ port } = wire), { timeout: 50 });
    expect(await codeOf(outcome)).toBe("TOUCH_TIMEOUT");
    await expect(raw(port, "GET / HTTP/1.1\r\n\r\n")).rejects.toThrow("ECONNREFUSED");
  });

  test("when the person gives up, before or meanwhile", async () => {
    expect(await codeOf(signing(async () => undefined, { signal: AbortSignal.abort() }))).toBe("CANCELLED");
    const given = new AbortController();
    expect(await codeOf(signing(async () => given.abort(), { signal: given.signal }))).toBe("CANCELLED");
  });
});

test("the page comes with every protection that a header can give, on both loopback addresses", async () => {
  const outcome = signing(async ({ get, port }) => {
    const { status, headers } = await get("/");
    expect(status).toBe(200);
    expect(headers["content-security-policy"]).toMatch(
      /^default-src 'none'; script-src 'self';.*frame-ancestors 'none'/,
    );
    expect(headers).toMatchObject({
      "cache-control": "no-store",
      "content-type": "text/html; charset=utf-8",
      "cross-origin-resource-policy": "same-origin",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
    });
    expect((await get("/../../package.json")).status).toBe(404);
    expect((await get("/page.css")).headers["content-type"]).toBe("text/css; charset=utf-8");
    await expect(raw(port, `GET / HTTP/1.1\r\nhost: localhost:${port}\r\n\r\n`, "::1")).resolves.toMatch(
      /^HTTP\/1.1 200/,
    );
    throw new Error("enough");
  });
  await expect(outcome).rejects.toThrow("enough");
});

function wireOf(url: string): Wire {
  const { port, origin, hash } = new URL(url);
  const token = hash.slice("#token=".length);
  const common = { host: `localhost:${port}` };
  const post: Wire["post"] = (path, body, headers) =>
    send(
      Number(port),
      { method: "POST", path, headers: { ...common, origin, "content-type": "application/json", ...headers } },
      JSON.stringify(body),
    );
  return {
    port: Number(port),
    token,
    origin,
    post,
    get: (path, headers) => send(Number(port), { method: "GET", path, headers: { ...common, ...headers } }),
    open: async () => (await post("/open", { token })).fields["secret"]!,
  };
}

function answer(post: Wire["post"], secret: string, value: object): Promise<Answer> {
  return post("/answer", { secret, answer: JSON.stringify(value) });
}

function signedBy(origin: string | undefined, patch: number, seed = "alice", flags = 1): object {
  const { signBytes } = makeSoftKey({ type: SK_ECDSA, application: "localhost", seed, ...(origin ? { origin } : {}) });
  const signature = signBytes(envelopeSignedBytes(nobleCrypto, payloadOf(patch)), { flags });
  return { kind: "signed", signature: Buffer.from(encodeSshSignature(signature)).toString("base64") };
}

function send(
  port: number,
  options: { method: string; path: string; headers: Record<string, string> },
  body = "",
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  httpRequest({ host: "127.0.0.1", port, ...options }, (response) => {
    const parts: Buffer[] = [];
    response.on("data", (part: Buffer) => parts.push(part));
    response.on("end", () => {
      const text = Buffer.concat(parts).toString();
      const isJson = response.headers["content-type"] === "application/json";
      const fields = isJson ? (JSON.parse(text) as Record<string, string>) : {};
      resolve({ status: response.statusCode ?? 0, fields, headers: response.headers });
    });
  })
    .on("error", reject)
    .end(body);
  return promise;
}

function raw(port: number, text: string, host = "127.0.0.1"): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect(port, host, () => socket.write(text));
  socket.once("data", (part: Buffer) => {
    resolve(part.toString());
    socket.destroy();
  });
  socket.on("error", reject);
  return promise;
}
