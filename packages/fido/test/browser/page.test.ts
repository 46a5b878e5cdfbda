import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { encodeUtf8, parseStatement, summarizeStatement } from "@touchmark/core";
import { nobleCrypto } from "@touchmark/core/noble";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Chromium, missingChromium, startChromium, type Tab } from "../../../../test/support/chromium.ts";
import { enrollInBrowser, readPageFiles } from "../../src/browser/index.ts";
import {
  codeOf,
  edgesFor,
  enrollIn,
  giveAuthenticator,
  LOCALHOST,
  openAnd,
  payloadOf,
  pressPrimary,
  signIn,
} from "./kit.ts";

// What it is like to use the page: quick, by keyboard, with a screen reader, in the dark.

const missing = missingChromium();
const SHOTS = process.env["TOUCHMARK_SCREENSHOTS"];

describe.skipIf(missing !== undefined)("the page in Chromium", () => {
  let chromium: Chromium;
  let tab: Tab;
  const complaints: unknown[] = [];
  beforeAll(async () => {
    chromium = await startChromium();
    tab = await chromium.newTab();
    tab.on("Log.entryAdded", ({ entry }) => complaints.push((entry as { text: string }).text));
    tab.on("Runtime.exceptionThrown", (event) => complaints.push(event));
    await tab.send("Log.enable");
    await tab.send("Runtime.enable");
    await giveAuthenticator(tab);
  });
  afterAll(async () => {
    await chromium.close();
  });

  test("can be pressed within a second", async () => {
    const key = await enrollIn(tab);
    const times: number[] = [];
    for (let round = 0; round < 3; round++) {
      await signIn(tab, [key], {}, async () => {
        await tab.until("document.querySelector('button.primary')?.disabled === false");
        times.push(await tab.evaluate<number>("performance.getEntriesByName('ready')[0].startTime"));
        await pressPrimary(tab);
      });
    }
    expect(times.toSorted((a, b) => a - b)[1]).toBeLessThan(1000);
  });

  test("shows what the payload says, and its digest, in light and dark", async () => {
    const key = await enrollIn(tab);
    const payload = payloadOf(7);
    await signIn(tab, [key], { payload }, async () => {
      await tab.until("document.title.startsWith('Sign this release?')");
      const text = await tab.evaluate<string>("document.body.innerText");
      expect(text).toContain("npm:npmjs/@acme/widget@1.0.7");
      expect(text).toContain(`sha256:${Buffer.from(nobleCrypto.sha256(payload)).toString("hex")}`);
      expect(text).toContain("localhost");
      for (const mode of ["light", "dark"]) {
        await tab.send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: mode }] });
        expect(await faintTexts(tab), mode).toEqual([]);
        await shoot(tab, `sign-${mode}`);
      }
      await pressPrimary(tab);
    });
    await tab.until("document.title.startsWith('Signed')");
    await shoot(tab, "signed-dark");
  });

  test("shows every kind of statement whole", async () => {
    const key = await enrollIn(tab);
    for (const payload of onePayloadOfEachKind()) {
      const { what, sections, facts, remark } = summarizeStatement(parseStatement(nobleCrypto, payload));
      const words = [...sections.flatMap(({ title, rows }) => [title, ...rows.flat()]), ...facts.flat(), remark];
      await signIn(tab, [key], { payload }, async () => {
        await tab.until(`document.title.startsWith(${JSON.stringify(`Sign this ${what}?`)})`);
        const text = await tab.evaluate<string>("document.body.textContent");
        expect(words.filter((word) => !text.includes(word))).toEqual([]);
        await pressPrimary(tab);
      });
      await tab.until("document.title.startsWith('Signed')");
    }
  });

  test("works by keyboard alone, and a screen reader has its words", async () => {
    const request = { place: LOCALHOST, holder: "alice", excludeCredentialIds: [], userVerification: false };
    const byKeyboard = async (): Promise<void> => {
      await tab.until("document.querySelector('button.primary')?.disabled === false");
      expect(await accessible(tab)).toEqual([
        "main: Enrol a key for alice?",
        "contentinfo: ",
        "heading: Enrol a key for alice?",
        "status: ",
        "button: Make the key",
        "button: Cancel",
      ]);
      await tab.press("Tab");
      expect(await tab.evaluate("document.activeElement.textContent")).toBe("Make the key");
      expect(await tab.evaluate("getComputedStyle(document.activeElement).outlineStyle")).toBe("solid");
      await tab.press("Enter");
    };
    await enrollInBrowser({ ...request, crypto: nobleCrypto }, edgesFor(openAnd(tab, byKeyboard)));
    await tab.until("document.title.startsWith('Enrolled')");
    expect(await tab.evaluate("document.activeElement.id")).toBe("title");
  });

  test("a reload asks again; a narrow screen needs no scrolling sideways", async () => {
    await tab.send("Emulation.setDeviceMetricsOverride", {
      width: 320,
      height: 640,
      deviceScaleFactor: 2,
      mobile: true,
    });
    await enrollIn(tab, {}, async () => {
      await tab.until("document.querySelector('button.primary')?.disabled === false");
      expect(await tab.evaluate("location.hash")).toBe("");
      await tab.send("Page.reload");
      await tab.until(
        "performance.getEntriesByType('navigation')[0].type === 'reload' && document.querySelector('button.primary')?.disabled === false",
      );
      expect(await tab.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(320);
      await shoot(tab, "narrow");
      await pressPrimary(tab);
    });
    await tab.send("Emulation.clearDeviceMetricsOverride");
  });

  test("another page of localhost can neither frame it nor ask in its name", async () => {
    const other = await chromium.newTab();
    const neighbour = createServer((_request, response) => void response.end("<title>evil</title>"));
    await new Promise<void>((resolve) => neighbour.listen(0, "127.0.0.1", resolve));
    const failed: unknown[] = [];
    other.on("Network.loadingFailed", ({ errorText }) => failed.push(errorText));
    await other.send("Network.enable");
    const outcome = enrollIn(tab, {}, async () => {
      const { origin } = new URL(await tab.evaluate<string>("location.href"));
      await other.open(`http://localhost:${(neighbour.address() as AddressInfo).port}/`);
      await other.until("document.title === 'evil'");
      const asked = await other.evaluate<string>(
        `fetch("${origin}/open", { method: "POST", headers: { "content-type": "application/json" }, body: "{}" }).then((r) => r.text(), (error) => error.name)`,
      );
      expect(asked).toBe("TypeError");
      await other.evaluate(
        `new Promise((done) => { const frame = document.createElement("iframe"); frame.src = "${origin}/"; frame.onload = done; document.body.append(frame); })`,
      );
      expect(failed).toContain("net::ERR_BLOCKED_BY_RESPONSE");
      await pressPrimary(tab);
    });
    expect(await codeOf(outcome)).toBe("nothing");
    await other.close();
    neighbour.close();
  });

  test("an address that was opened before ends in words", async () => {
    let url = "";
    const outcome = enrollInBrowser(
      { place: LOCALHOST, holder: "alice", excludeCredentialIds: [], userVerification: false, crypto: nobleCrypto },
      edgesFor(async (shown) => {
        url = shown;
        await tab.open(url);
        await tab.until("document.querySelector('button.primary')?.disabled === false");
        const second = await chromium.newTab();
        await second.open(url);
        await second.until("document.title.startsWith('This did not work')");
        expect(await second.evaluate("document.body.innerText")).toContain("opened twice");
        await second.close();
      }),
    );
    expect(await codeOf(outcome)).toBe("BROWSER_LINK_USED");
    await pressPrimary(tab);
    await tab.until("document.title.startsWith('This did not work')");
    expect(await tab.evaluate("document.body.innerText")).toContain("not waiting for this any more");
  });

  test("the console stays empty, save for the browser's advice on algorithms and its note of refusals", () => {
    const expected = /pubKeyCredParams|favicon\.ico|Failed to load resource/;
    expect(complaints.filter((text) => typeof text !== "string" || !expected.test(text))).toEqual([]);
  });
});

test("the page's files: every import is one of them, nothing comes from elsewhere, types are off", () => {
  const files = readPageFiles();
  const texts = [...files].map(([name, { body }]) => ({ name, text: Buffer.from(body).toString() }));
  for (const { name, text } of texts.filter((file) => file.name.endsWith(".js"))) {
    const imports = [
      ...text.replaceAll(/\/\*[^]*?\*\//g, "").matchAll(/^(?:import|export)[^"';]*?from\s*(["'])(.*?)\1/gm),
    ];
    for (const [, , target] of imports) expect(files.has(target!.replace("./", "")), `${name}: ${target}`).toBe(true);
  }
  expect(texts.filter(({ name, text }) => /^index|css$/.test(name) && /https?:/.test(text))).toEqual([]);
});

/** Texts with less contrast than WCAG 2 AA asks (4.5 to 1). */
function faintTexts(tab: Tab): Promise<string[]> {
  return tab.evaluate<string[]>(`
    (() => {
      const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
      const light = (c) => { const [r, g, b] = c.map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
      const ground = (element) => { for (let e = element; e; e = e.parentElement) { const c = numbers(getComputedStyle(e).backgroundColor); if ((c[3] ?? 1) > 0) return c; } return [255, 255, 255]; };
      return [...document.querySelectorAll("body *")]
        .filter((element) => element.tagName !== "NOSCRIPT" && [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== ""))
        .filter((element) => { const [a, b] = [light(numbers(getComputedStyle(element).color)), light(ground(element))].sort((x, y) => y - x); return (a + 0.05) / (b + 0.05) < 4.5; })
        .map((element) => element.textContent);
    })()`);
}

const SPOKEN = ["main", "heading", "status", "button", "contentinfo"];

/** What a screen reader finds: role and name. */
async function accessible(tab: Tab): Promise<string[]> {
  const { nodes } = await tab.send<{
    nodes: { ignored: boolean; role?: { value: string }; name?: { value: string } }[];
  }>("Accessibility.getFullAXTree");
  return nodes
    .filter(({ ignored, role }) => !ignored && role !== undefined && SPOKEN.includes(role.value))
    .map(({ role, name }) => `${role?.value}: ${name?.value ?? ""}`);
}

async function shoot(tab: Tab, name: string): Promise<void> {
  if (SHOTS === undefined) return;
  const { data } = await tab.send<{ data: string }>("Page.captureScreenshot", { format: "png" });
  writeFileSync(join(SHOTS, `${name}.png`), Buffer.from(data, "base64"));
}

/** Of the vectors, whose first case of each kind is a good one. */
function onePayloadOfEachKind(): Uint8Array[] {
  const folder = join(import.meta.dirname, "../../../../test/vectors/statements");
  const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
  return names.map((name) => {
    const [first] = JSON.parse(readFileSync(join(folder, name), "utf8")) as { payload: string }[];
    return encodeUtf8(first!.payload);
  });
}
