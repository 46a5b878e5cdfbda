import { randomBytes } from "node:crypto";
import { encodeRelease, SK_ECDSA } from "@touchmark/core";
import { signInBrowser } from "@touchmark/fido/browser";
import { makeSoftKey } from "../packages/core/test/support/soft-key.ts";
import { nodeCrypto } from "@touchmark/log";
import { missingChromium, startChromium } from "../test/support/chromium.ts";
import { type Benchmark, median } from "./figure.ts";

const ROUNDS = 7;
const ALLOWED = 1000;

/** From the click on the address to a page that can be pressed, with a statement to sign on it, in Chromium. */
export const browserPage: Benchmark = {
  name: "browser-page",
  run: async () => {
    if (missingChromium() !== undefined) return [];
    const chromium = await startChromium();
    try {
      const times: number[] = [];
      for (let round = -1; round < ROUNDS; round++) {
        // A tab that shares nothing with the one before has nothing of the page yet.
        const tab = await chromium.newTab();
        const stop = new AbortController();
        const { key } = makeSoftKey({ type: SK_ECDSA, application: "localhost" });
        const shown = signInBrowser(
          {
            place: { rpId: "localhost", page: null },
            payload: release(),
            keys: [{ credentialId: randomBytes(32), key }],
            demands: { userVerification: false, deviceBound: false },
            crypto: nodeCrypto,
          },
          {
            show: async (url) => {
              await tab.open(url);
              await tab.until("document.querySelector('button.primary')?.disabled === false");
              const ready = await tab.evaluate<number>("performance.getEntriesByName('ready')[0].startTime");
              if (round >= 0) times.push(ready);
              stop.abort();
            },
            askCode: null,
            signal: stop.signal,
            timeout: 60_000,
            randomBytes,
          },
        );
        await shown.catch((error: unknown) => {
          if (!stop.signal.aborted) throw error;
        });
        await tab.close();
      }
      return [
        {
          name: "browser page",
          ours: { what: "from navigation to a page that can be pressed", value: median(times) },
          floor: { what: "allowed", value: ALLOWED },
          unit: "ms",
          target: { most: 1 },
        },
      ];
    } finally {
      await chromium.close();
    }
  },
};

function release(): Uint8Array {
  const sha512 = "ab".repeat(64);
  const releases = [{ releaseId: "npm:npmjs/@acme/widget@1.0.0", sha512, tarSha512: sha512, base: "0.9.0" }];
  return encodeRelease({ logs: ["log.example/main"], releases });
}
