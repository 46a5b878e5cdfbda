import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startGate, type Gate, type GateOptions } from "../src/gate/start-gate.ts";
import {
  integrityOf,
  refusing,
  sha512Of,
  startTestRegistry,
  tarballOf,
  type TestDocument,
  type TestRegistry,
} from "./gate-support.ts";

let registry: TestRegistry;
const gates: Gate[] = [];

beforeEach(async () => {
  registry = await startTestRegistry();
});
afterEach(async () => {
  for (const gate of gates.splice(0)) await gate.close();
  await registry.close();
});

async function open(options: Partial<GateOptions> = {}): Promise<Gate> {
  const gate = await startGate({ registry: { name: "main", url: registry.url }, decide: refusing(), ...options });
  gates.push(gate);
  return gate;
}

async function documentOf(
  gate: Gate,
  name: string,
): Promise<TestDocument & { policyRestrictions?: { message: string; versions: object } }> {
  const response = await fetch(gate.url + name);
  expect(response.status).toBe(200);
  return (await response.json()) as TestDocument;
}

async function refusalFrom(url: string, init?: RequestInit): Promise<{ error: string; response: Response }> {
  const response = await fetch(url, init);
  expect(response.status).toBe(403);
  const { error } = (await response.json()) as { error: string };
  return { error, response };
}

describe("documents", () => {
  it("I1: refused versions go, tags follow, and npm learns why", async () => {
    for (const version of ["1.0.0", "1.1.0-rc.1", "1.0.1"]) registry.publish("widget", version);
    registry.publish("widget", "2.0.0", { tag: "next" });
    registry.publish("widget", "1.0.2", { tag: "beta" });
    registry.document("widget")["readme"] = "long";
    const gate = await open({ decide: refusing("widget@1.0.1", "widget@1.0.2") });
    const document = await documentOf(gate, "widget");
    expect(Object.keys(document.versions)).toEqual(["1.0.0", "1.1.0-rc.1", "2.0.0"]);
    expect(document["dist-tags"]).toEqual({ latest: "1.0.0", next: "2.0.0" });
    expect(document.policyRestrictions?.message).toBe(
      "1.0.2: Signed by 1 of 2 holders. (THRESHOLD) - Wait for the second.\n1.0.1: Signed by 1 of 2 holders. (THRESHOLD) - Wait for the second.",
    );
    expect(document.time["1.0.1"]).toBeDefined();
    expect(document["readme"]).toBeUndefined();
    expect(gate.refusals().map(({ version, code }) => [version, code])).toEqual([
      ["1.0.1", "THRESHOLD"],
      ["1.0.2", "THRESHOLD"],
    ]);
  });

  it("latest never moves up, and goes when nothing is left below it", async () => {
    registry.publish("widget", "2.0.0");
    registry.publish("widget", "1.0.0");
    expect((await documentOf(await open({ decide: refusing("widget@1.0.0") }), "widget"))["dist-tags"]).toEqual({});
  });

  it("what nobody decided about is refused, and so is everything when the judge fails", async () => {
    registry.publish("widget", "1.0.0");
    const silent = await open({ decide: { ...refusing(), decideVersions: async () => new Map() } });
    expect((await documentOf(silent, "widget")).versions).toEqual({});
    expect(silent.refusals()[0]).toMatchObject({ code: "CHECK_FAILED", unchecked: true });
    const failing = await open({
      decide: { ...refusing(), decideVersions: async () => Promise.reject(new Error("evidence\u001b[2J gone")) },
    });
    const { error } = await refusalFrom(`${failing.url}widget`);
    expect(error).toContain("could not be checked: evidence\\u{1b}[2J gone");
    expect(failing.refusals()[0]).toMatchObject({ what: "package", unchecked: true });
  });

  it("scopes go to their own registry, and credentials to theirs only", async () => {
    const corp = await startTestRegistry();
    try {
      registry.publish("widget", "1.0.0");
      corp.publish("@corp/x", "1.0.0");
      const gate = await open({ scopes: { "@corp": { name: "corp", url: corp.url } } });
      const headers = { authorization: "Bearer mine" };
      for (const path of ["widget", "@corp%2fx", "@corp/x/-/x-1.0.0.tgz", "widget/-/widget-1.0.0.tgz"]) {
        expect((await fetch(gate.url + path, { headers })).status, path).toBe(200);
      }
      expect(registry.requests.map((request) => request.headers.authorization)).toEqual(["Bearer mine", "Bearer mine"]);
      expect(corp.requests.map((request) => request.headers.authorization)).toEqual([undefined, undefined]);
      const withToken = await open({
        clientToken: "gate",
        scopes: { "@corp": { name: "corp", url: corp.url, authorization: "Bearer corp" } },
      });
      await refusalFrom(`${withToken.url}widget`, { headers });
      const ours = { headers: { authorization: "Bearer gate" } };
      await fetch(`${withToken.url}@corp%2fx`, ours);
      await fetch(`${withToken.url}widget`, ours);
      expect(corp.requests.at(-1)!.headers.authorization).toBe("Bearer corp");
      expect(registry.requests.at(-1)!.headers.authorization).toBeUndefined();
    } finally {
      await corp.close();
    }
  });

  it("the registry's own 4xx comes through, cleaned", async () => {
    const response = await fetch(`${(await open()).url}nothing`);
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({ error: "main: no such\\u{1b}[31m thing" });
  });

  it("a registry that can't be reached is refused as unchecked, and tried three times", async () => {
    let asked = 0;
    const gate = await open({ fetch: async () => Promise.reject(new Error(`down ${++asked}`)) });
    const { error } = await refusalFrom(`${gate.url}widget`);
    expect(error).toContain("can't be reached: down 3");
    expect(gate.refusals()[0]).toMatchObject({ code: "UPSTREAM_UNREACHABLE", unchecked: true });
  });
});

describe("tarballs", () => {
  it("pass whole when they are allowed, with or without a document asked for before", async () => {
    const bytes = registry.publish("widget", "1.0.0");
    const lines: string[] = [];
    const gate = await open({ onProgress: (event) => event.kind === "tarball" && lines.push(event.line) });
    const response = await fetch(`${gate.url}widget/-/widget-1.0.0.tgz`);
    expect(Buffer.from(await response.arrayBuffer())).toEqual(bytes);
    expect(lines).toEqual(["signed by alice and bob"]);
  });

  it("a locked one needs no document", async () => {
    const bytes = registry.publish("widget", "1.0.0");
    const resolved = `${registry.url}widget/-/widget-1.0.0.tgz`;
    const gate = await open({ expected: [{ name: "widget", version: "1.0.0", sha512: sha512Of(bytes), resolved }] });
    expect((await fetch(`${gate.url}widget/-/widget-1.0.0.tgz`)).status).toBe(200);
    expect(registry.requests).toHaveLength(1);
  });

  it("I2: other bytes under an allowed version are refused in every part of the answer", async () => {
    const other = tarballOf("widget", "1.0.0", "evil");
    registry.publish("widget", "1.0.0", { bytes: other, integrity: integrityOf(tarballOf("widget", "1.0.0")) });
    const judged = await open({ decide: refusing(sha512Of(other)) });
    const { error, response } = await refusalFrom(`${judged.url}widget/-/widget-1.0.0.tgz`);
    expect(error).toBe(
      "Refused by touchmark: widget@1.0.0: Signed by 1 of 2 holders. (THRESHOLD) - Wait for the second.",
    );
    expect(response.statusText).toBe("Refused by touchmark: widget@1.0.0: Signed by 1 of 2 holders. (THRESHOLD)");
    expect(response.headers.get("npm-notice")).toBe(response.statusText);
    const unclaimed = await open();
    expect((await refusalFrom(`${unclaimed.url}widget/-/widget-1.0.0.tgz`)).error).toContain("INTEGRITY_MISMATCH");
    const resolved = `${registry.url}widget/-/widget-1.0.0.tgz`;
    const locked = await open({ expected: [{ name: "widget", version: "1.0.0", sha512: "aa".repeat(64), resolved }] });
    expect((await refusalFrom(`${locked.url}widget/-/widget-1.0.0.tgz`)).error).toContain("INTEGRITY_MISMATCH");
  });

  it("I9: the tarball of another package is refused, allowed or not", async () => {
    registry.publish("good", "1.0.0", { bytes: tarballOf("evil", "1.0.0") });
    registry.publish("good", "1.0.1", { bytes: tarballOf("good", "1.0.0") });
    const gate = await open();
    for (const version of ["1.0.0", "1.0.1"]) {
      expect((await refusalFrom(`${gate.url}good/-/good-${version}.tgz`)).error).toContain("TARBALL_OTHER_PACKAGE");
    }
  });

  it("what no registry offers is refused", async () => {
    registry.publish("widget", "1.0.0");
    const gate = await open();
    for (const path of ["widget/-/widget-9.9.9.tgz", "some/where/x.tgz", "-/x.tgz", "widget/1.0.0", "%ff.tgz"]) {
      await refusalFrom(gate.url + path);
    }
    expect(registry.requests.map(({ url }) => url)).toEqual(["/widget"]);
    // What npm makes of a tarball at another address.
    expect((await refusalFrom(`${gate.url}elsewhere.tgz`)).error).toContain("TARBALL_UNKNOWN");
  });

  it("a large one passes through a file", async () => {
    const bytes = registry.publish("widget", "1.0.0", {
      bytes: tarballOf("widget", "1.0.0", Array.from({ length: 400_000 }, (_, i) => (i * 2654435761) >>> 0).join("")),
    });
    const body = Buffer.from(
      await (
        await fetch(`${(await open({ tarballLimits: { packageJson: 2 ** 24 } })).url}widget/-/widget-1.0.0.tgz`)
      ).arrayBuffer(),
    );
    expect(bytes.length).toBeGreaterThan(1_500_000);
    expect(body.equals(bytes)).toBe(true);
  });

  it("redirects are followed without credentials, not from https to http", async () => {
    const cdn = await startTestRegistry();
    try {
      const bytes = registry.publish("widget", "1.0.0");
      cdn.routes.set("blob", (_, response) => response.end(bytes));
      registry.routes.set("widget/-/widget-1.0.0.tgz", (_, response) =>
        response.writeHead(302, { location: `${cdn.url}blob` }).end(),
      );
      const gate = await open();
      expect(
        (await fetch(`${gate.url}widget/-/widget-1.0.0.tgz`, { headers: { authorization: "Bearer mine" } })).status,
      ).toBe(200);
      expect(registry.requests.at(-1)!.headers.authorization).toBe("Bearer mine");
      expect(cdn.requests[0]!.headers.authorization).toBeUndefined();
      const secure = await open({
        registry: { name: "main", url: "https://registry.example/" },
        fetch: async () => new Response(null, { status: 302, headers: { location: `${cdn.url}blob` } }),
      });
      expect((await refusalFrom(`${secure.url}widget`)).error).toContain("which is not followed");
    } finally {
      await cdn.close();
    }
  });
});

describe("other requests", () => {
  it("audit, attestations and ping pass as JSON; nothing that writes does", async () => {
    registry.routes.set("-/npm/v1/security/advisories/bulk", (request, response) => request.pipe(response));
    registry.routes.set("-/ping", (_, response) => response.end("{}"));
    registry.routes.set("-/npm/v1/attestations/widget@1.0.0", (_, response) =>
      response.end(tarballOf("widget", "1.0.0")),
    );
    const gate = await open();
    const audit = await fetch(`${gate.url}-/npm/v1/security/advisories/bulk`, {
      method: "POST",
      body: `{"widget":["1.0.0"]}`,
    });
    expect(await audit.json()).toEqual({ widget: ["1.0.0"] });
    expect(await (await fetch(`${gate.url}-/ping?write=true`)).json()).toEqual({});
    expect(await (await fetch(`${gate.url}-/npm/v1/attestations/widget@1.0.0`)).json()).toEqual({
      error: "The registry's answer is not JSON.",
    });
    await refusalFrom(`${gate.url}widget`, { method: "PUT", body: "{}" });
    await refusalFrom(`${gate.url}widget/-rev/1`, { method: "DELETE" });
    await refusalFrom(`${gate.url}-/package/widget/dist-tags/latest`, { method: "POST", body: '"1.0.0"' });
    expect(registry.requests.every(({ method }) => method === "GET" || method === "POST")).toBe(true);
  });

  it("a request under another host name is refused", async () => {
    const gate = await open();
    await refusalFrom(`${gate.url.replace("127.0.0.1", "localhost")}widget`);
    expect(registry.requests).toHaveLength(0);
  });
});
