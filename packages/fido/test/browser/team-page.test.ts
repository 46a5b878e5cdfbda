import { parseSshSignature } from "@touchmark/core";
import { nobleCrypto } from "@touchmark/core/noble";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Chromium, missingChromium, startChromium, type Tab } from "../../../../test/support/chromium.ts";
import { type BrowserEdges, enrollInBrowser, readPageFiles, signInBrowser } from "../../src/browser/index.ts";
import { parseBrowserSpec } from "../../src/index.ts";
import {
  codeOf,
  edgesFor,
  giveAuthenticator,
  LOCALHOST,
  NO_DEMANDS,
  openAnd,
  payloadOf,
  pressCancel,
  pressPrimary,
} from "./kit.ts";

// The page as static files on a team's own domain: the request comes in the address, the answer goes back to loopback or as a code.

const missing = missingChromium();
const PLACE = parseBrowserSpec("browser:https://sign.team.example/touchmark/");

describe.skipIf(missing !== undefined)("a team's page in Chromium", () => {
  let chromium: Chromium;
  let tab: Tab;
  beforeAll(async () => {
    chromium = await startChromium();
    tab = await chromium.newTab();
    await hostPage(tab);
    await giveAuthenticator(tab);
  });
  afterAll(async () => {
    await chromium.close();
  });

  const enrolling = { place: PLACE, holder: "alice", excludeCredentialIds: [], userVerification: false };

  test("on this machine: from loopback to the team's page and back", async () => {
    const key = await enrollInBrowser({ ...enrolling, crypto: nobleCrypto }, edgesFor(openAnd(tab, pressPrimary)));
    expect(key.key.application).toBe("sign.team.example");
    await tab.until("location.hostname === 'localhost' && document.title.startsWith('Done')");
    const request = { place: PLACE, payload: payloadOf(0), keys: [key], demands: NO_DEMANDS, crypto: nobleCrypto };
    const { signature } = await signInBrowser(request, edgesFor(openAnd(tab, pressPrimary)));
    expect(parseSshSignature(signature).webauthn?.origin).toBe("https://sign.team.example");
    const cancelled = signInBrowser(
      request,
      edgesFor(
        openAnd(tab, async () => {
          await tab.until("document.title.startsWith('Sign')");
          await pressCancel(tab);
        }),
      ),
    );
    expect(await codeOf(cancelled)).toBe("CANCELLED");
  });

  test("from another machine: the whole request in the address, the answer as a code", async () => {
    let shown = "";
    const askCode = async (): Promise<string> => {
      // Only what follows the # is another: the page notices, and begins anew.
      await tab.open(shown);
      await tab.until("document.title.includes('?')");
      await pressPrimary(tab);
      await tab.until("document.querySelector('textarea') !== null");
      return tab.evaluate<string>("document.querySelector('textarea').value");
    };
    const edges = edgesFor((url) => void (shown = url), { askCode });
    const key = await enrollInBrowser({ ...enrolling, crypto: nobleCrypto }, edges);
    const request = { place: PLACE, payload: payloadOf(0), keys: [key], demands: NO_DEMANDS, crypto: nobleCrypto };
    expect((await signInBrowser(request, edges)).key.record).toBe(key.key.record);
    expect(shown).toMatch(/^https:\/\/sign\.team\.example\/touchmark\/#request=[\w-]+$/);
    const code = await tab.evaluate<string>("document.querySelector('textarea').value");
    const given = (answer: string | undefined): BrowserEdges =>
      edgesFor(() => undefined, { askCode: async () => answer });
    expect(await codeOf(signInBrowser(request, given(` ${code}\n`)))).toBe("nothing");
    expect(await codeOf(signInBrowser(request, given(code.slice(0, -5))))).toBe("BROWSER_GARBAGE");
    expect(await codeOf(signInBrowser(request, given(undefined)))).toBe("CANCELLED");
    expect(await codeOf(signInBrowser({ ...request, payload: payloadOf(1) }, given(code)))).toBe("WRONG_CHALLENGE");
    expect(await codeOf(signInBrowser({ ...request, place: LOCALHOST }, given(code)))).toBe("BAD_REQUEST");
  });

  test.each([
    ["no request", "", "There is nothing to do here."],
    ["half of one", "#request=eyJyZXF1ZXN0", "The address is not complete."],
    ["one for another page", elsewhere(), "This request is for another page."],
  ])("says so when its address holds %s", async (_name, fragment, sentence) => {
    await tab.open("about:blank");
    await tab.open(`${PLACE.page}${fragment}`);
    await tab.until("document.title.startsWith('This did not work')");
    expect(await tab.evaluate("document.body.innerText")).toContain(sentence);
    expect(await tab.evaluate("document.querySelectorAll('button').length")).toBe(0);
  });
});

/** Serves the static files at the team's address, in the browser itself. */
async function hostPage(tab: Tab): Promise<void> {
  const files = readPageFiles();
  tab.on("Fetch.requestPaused", (event) => {
    const { requestId, request } = event as { requestId: string; request: { url: string } };
    const { pathname } = new URL(request.url);
    const file = files.get(pathname.endsWith("/") ? "index.html" : pathname.slice("/touchmark/".length));
    void tab.send("Fetch.fulfillRequest", {
      requestId,
      responseCode: file ? 200 : 404,
      responseHeaders: [{ name: "content-type", value: file?.type ?? "text/plain" }],
      body: Buffer.from(file?.body ?? "").toString("base64"),
    });
  });
  await tab.send("Fetch.enable", { patterns: [{ urlPattern: "https://sign.team.example/*" }] });
}

function elsewhere(): string {
  const request = JSON.stringify({
    kind: "enroll",
    holder: "alice",
    exclude: [],
    userVerification: false,
    page: "https://other.example/",
  });
  return `#request=${Buffer.from(JSON.stringify({ request, back: null })).toString("base64url")}`;
}
