import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAttestationRoot } from "@touchmark/fido/testing";
import { encodeVerifierKey, noteSigner } from "@touchmark/log";
import { afterAll, describe, expect, it } from "vitest";

const MAIN = join(import.meta.dirname, "../src/main.ts");
const directory = mkdtempSync(join(tmpdir(), "touchmark-process-"));

afterAll(() => {
  rmSync(directory, { recursive: true });
});

function start(args: string[], env: NodeJS.ProcessEnv = {}): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, args, {
    cwd: directory,
    env: { ...process.env, TOUCHMARK_HOME: join(directory, "home"), ...env },
    encoding: "utf8",
  });
}

describe("the process", () => {
  it("prints results on standard output, errors on standard error, and ends with the exit code", () => {
    expect(start([MAIN, "--version"])).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
      stderr: "",
    });
    const { status, stdout, stderr } = start([MAIN, "verify"]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(/^error: There is no policy: .+\. \[POLICY_MISSING\]\nhint: .+\n$/);
  });

  it("shows a stack only to who asks for it", () => {
    expect(start([MAIN, "verify"], { TOUCHMARK_DEBUG: "1" }).stderr).toContain("CliError: There is no policy");
    expect(start([MAIN, "verify"]).stderr).not.toContain(" at ");
  });

  it("keeps secrets typed into a file descriptor out of the arguments", () => {
    writeFileSync(join(directory, "pin"), "4711\nmore\n");
    const script = `
      import { openSync } from "node:fs";
      import { readLine } from ${JSON.stringify(join(import.meta.dirname, "../src/prompts.ts"))};
      process.stdout.write(await readLine(openSync("pin", "r")));`;
    expect(start(["--input-type=module", "--eval", script]).stdout).toBe("4711");
  });

  it("what a full pipe does not take at once arrives all the same, and in its order", () => {
    // A stream that Node has set up leaves its pipe in a state in which writing to it does not wait.
    const script = `
      import { processOutput } from ${JSON.stringify(join(import.meta.dirname, "../src/output.ts"))};
      process.stdout.fd;
      const output = processOutput("stdout");
      for (let i = 0; i < 50; i++) output.write(String(i).padStart(9999, ".") + "\\n");
      process.stderr.write(JSON.stringify(output.isDrained));`;
    const node = `"${process.execPath}" --input-type=module --eval '${script}'`;
    // Nobody reads before all was written.
    const command = `${node} 2>drained | (until [ -s drained ]; do sleep 0.01; done; cat)`;
    const { stdout } = spawnSync("sh", ["-c", command], { cwd: directory, encoding: "utf8" });
    const lines = stdout.split("\n");
    expect(readFileSync(join(directory, "drained"), "utf8")).toBe("false");
    expect(lines).toEqual([...Array.from({ length: 50 }, (_, i) => String(i).padStart(9999, ".")), ""]);
  });

  it("an older Node is told in one sentence", () => {
    const script = `
      Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.20.0" } });
      await import(${JSON.stringify(MAIN)});`;
    const { status, stderr } = start(["--input-type=module", "--eval", script]);
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: expect.stringMatching(/^error: Touchmark needs Node 22\.12 or later.+\[NODE_TOO_OLD\]\n$/),
    });
  });
});

describe("what is loaded", () => {
  // A command that verifies has no business with devices, servers, archives and the gate: start-up is its own promise.
  const FORBIDDEN =
    /@touchmark\/(?:fido|log-server)|\/packages\/(?:fido|log-server)\/|\/verify\/src\/(?:gate|tarball)\/|cbor-x|node-hid|node_modules\/|readline|node:http|node:zlib|node:sqlite/;

  it("touchmark verify loads what it needs and no more", () => {
    const loaded = loadedByVerify();
    expect(loaded.some((url) => url.endsWith("/commands/verify.ts"))).toBe(true);
    expect(loaded.filter((url) => FORBIDDEN.test(url))).toEqual([]);
  });

  it("for a policy that asks for attested keys, attestations are read, and no device code is loaded", () => {
    const signer = noteSigner("log.example/main", new Uint8Array(32).fill(7));
    const root = Buffer.from(createAttestationRoot().der).toString("base64");
    const policy = {
      version: 1,
      registries: { npmjs: ["https://registry.example/"] },
      log: { url: "https://log.example/", origin: "log.example/main", key: encodeVerifierKey(signer.key) },
      attestationRoots: [root],
      packages: { "*": { keys: { attested: true } } },
    };
    writeFileSync(join(directory, "touchmark.json"), JSON.stringify(policy));
    const loaded = loadedByVerify();
    rmSync(join(directory, "touchmark.json"));
    expect(loaded.some((url) => url.endsWith("/attestation/check-attestation.ts"))).toBe(true);
    const devices = /node-hid|node:dgram|node:http|\/fido\/src\/(?:client|pipe|hid|testing|browser|u2f|trace)\//;
    expect(loaded.filter((url) => devices.test(url))).toEqual([]);
  });

  function loadedByVerify(): string[] {
    const script = `
      import { registerHooks } from "node:module";
      registerHooks({ load: (url, context, next) => { process.stderr.write(url + "\\n"); return next(url, context); } });
      process.argv = [process.argv[0], "touchmark", "verify"];
      const { main } = await import(${JSON.stringify(join(import.meta.dirname, "../src/terminal.ts"))});
      await import(${JSON.stringify(join(import.meta.dirname, "../src/commands/verify.ts"))});
      await main();`;
    return start(["--input-type=module", "--eval", script])
      .stderr.split("\n")
      .filter((line) => /^(?:file|node):/.test(line));
  }
});
