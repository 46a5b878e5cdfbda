import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, it } from "vitest";
import { type Chromium, missingChromium, startChromium, type Tab } from "../../../test/support/chromium.ts";
import { openerFor } from "../src/open-url.ts";
import { runCommand } from "./support/script-commands.ts";
import { closeStage, openStage, type Outcome, type Stage } from "./support/stage.ts";
import { packPackage } from "./support/tarball.ts";

// `--device browser` from the command line to OpenSSH, with Chromium as the person's browser.

const missing = missingChromium();
const NOTHING: Outcome = { stdout: "", stderr: "", exit: 0 };
const POLICY = {
  version: 1,
  registries: { npmjs: ["https://registry.example/"] },
  log: { url: "https://log.example/", origin: "log.example/main", key: "${LOG_KEY}" },
};

describe.skipIf(missing !== undefined)("--device browser", () => {
  let chromium: Chromium;
  let tab: Tab;
  let stage: Stage;
  beforeAll(async () => {
    chromium = await startChromium();
    tab = await chromium.newTab();
    await tab.send("WebAuthn.enable");
    await tab.send("WebAuthn.addVirtualAuthenticator", {
      options: {
        protocol: "ctap2",
        transport: "internal",
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
        defaultBackupEligibility: true,
        defaultBackupState: true,
      },
    });
  });
  afterAll(async () => {
    await chromium.close();
  });
  beforeEach(async () => {
    const script = { steps: [], files: new Map([["touchmark.json", JSON.stringify(POLICY)]]) };
    stage = await openStage(script, "${LOG_KEY}");
    stage.answers = [];
    stage.openUrl = async (url) => {
      await tab.open(url);
      await tab.until("document.querySelector('button.primary')?.disabled === false");
      await tab.evaluate("document.querySelector('button.primary').click()");
    };
  });
  afterEach(() => closeStage(stage));

  const touchmark = (line: string): Promise<Outcome> => runCommand(["touchmark", ...line.split(" ")], stage, NOTHING);

  it("enrols a synced passkey, says so, signs with it, and ssh-keygen verifies", async () => {
    const enrolled = await touchmark("key enroll --holder alice --device browser");
    expect(enrolled.stderr).toMatch(/^open in a browser: http:\/\/localhost:\d+\/#token=[\w-]{43}\n/);
    expect(enrolled.stderr).toContain("every page that a program on this machine serves");
    expect(enrolled).toMatchObject({
      exit: 0,
      stdout: expect.stringContaining("synced passkey of localhost") as string,
    });
    expect((await touchmark("key list")).stdout).toMatch(
      /alice +SHA256:\S+ +es256 +browser .+ yes +synced passkey of localhost/,
    );
    writeFileSync(join(stage.directory, "widget-1.0.0.tgz"), packPackage("widget", "1.0.0").tarball);
    const signed = await touchmark("sign widget-1.0.0.tgz --yes");
    expect(signed).toMatchObject({ exit: 0, stdout: expect.stringContaining("Signed as alice") as string });
    const exported = await touchmark("export widget-1.0.0.tgz.touchmark --out export");
    const command = /ssh-keygen .*/.exec(exported.stdout)?.[0] ?? "";
    const verified = await runCommand(["run", "export", command], stage, NOTHING);
    expect(verified).toMatchObject({ exit: 0, stdout: expect.stringContaining("Good") as string });
  });

  it("a claim for hardware keys does not take it; one without does, attestation and clientDataJSON included", async () => {
    await touchmark("key enroll --holder alice --device browser");
    await touchmark("key export --out alice.card");
    expect(readFileSync(join(stage.directory, "alice.card"), "utf8")).toMatch(/"clientData":"eyJ0eXBlIjoi/);
    await touchmark("claim widget --key alice.card --threshold 1 --no-earlier --out open.touchmark");
    expect(await touchmark("sign open.touchmark --yes")).toMatchObject({ exit: 0 });
    await touchmark("claim widget --key alice.card --threshold 1 --no-earlier --device-bound --out bound.touchmark");
    const pressed = stage.openUrl;
    stage.openUrl = async (url) => {
      await pressed?.(url);
      await tab.until("document.querySelector('button.primary')?.textContent === 'Try again'");
      await tab.evaluate("[...document.querySelectorAll('button')].at(-1).click()");
    };
    const refused = await touchmark("sign bound.touchmark --yes");
    expect(refused).toMatchObject({ exit: 4, stderr: expect.stringContaining("[KEY_UNABLE]") as string });
  });
});

describe("the browser from the command line", () => {
  it("--no-open prints the address alone; over SSH it says how to reach it; Ctrl-C ends it", async () => {
    const stage = await openStage({ steps: [], files: new Map() }, "");
    const opened: string[] = [];
    stage.openUrl = async (url) => void opened.push(url);
    stage.answers = [];
    const run = async (line: string): Promise<Outcome> => {
      const given = new AbortController();
      stage.signal = given.signal;
      setTimeout(() => given.abort(), 100);
      return runCommand(["touchmark", ...line.split(" ")], stage, NOTHING);
    };
    const closed = await run("key enroll --holder alice --device browser --no-open");
    expect(closed).toMatchObject({ exit: 4, stderr: expect.stringContaining("[CANCELLED]") as string });
    stage.env["SSH_CONNECTION"] = "192.0.2.1 1 192.0.2.2 22";
    const remote = await run("key enroll --holder alice --device browser");
    expect(remote.stderr).toMatch(/ssh -L (\d+):localhost:\1/);
    expect(opened).toEqual([]);
    await closeStage(stage);
  });

  it("--paste wants a team's page, and es256 is the only algorithm", async () => {
    const stage = await openStage({ steps: [], files: new Map() }, "");
    stage.variables.set("FD0", "rubbish");
    const run = (line: string): Promise<Outcome> => runCommand(["touchmark", ...line.split(" ")], stage, NOTHING);
    expect((await run("key enroll --holder alice --device browser --paste")).stderr).toContain("[BAD_REQUEST]");
    const pasted = await run("key enroll --holder alice --device browser:https://sign.team.example --paste");
    expect(pasted.stderr).toMatch(
      /^open in a browser: https:\/\/sign\.team\.example\/#request=[\w-]+\n.*\[BROWSER_GARBAGE\]/,
    );
    expect((await run("key enroll --holder alice --device browser --algorithm ed25519")).exit).toBe(2);
    expect((await run("key enroll --holder alice --device browser:http://x.example/")).stderr).toContain(
      "[BAD_DEVICE_SPEC]",
    );
    await closeStage(stage);
  });

  it("key page writes files that import one another", async () => {
    const stage = await openStage({ steps: [], files: new Map() }, "");
    const { exit, stdout } = await runCommand(["touchmark", "key", "page", "--out", "public/sign"], stage, NOTHING);
    expect({ exit, stdout }).toMatchObject({
      exit: 0,
      stdout: expect.stringMatching(/^Wrote the page to public\/sign/) as string,
    });
    const names = readdirSync(join(stage.directory, "public/sign"));
    expect(names).toEqual(expect.arrayContaining(["index.html", "page.css", "main.js"]));
    await closeStage(stage);
  });

  it("opens an address without a shell", () => {
    const url = "http://localhost:1/#token=a&b";
    expect(openerFor("darwin", url)).toEqual(["open", [url]]);
    expect(openerFor("win32", url)).toEqual(["rundll32", ["url.dll,FileProtocolHandler", url]]);
    expect(openerFor("linux", url)).toEqual(["xdg-open", [url]]);
  });
});
