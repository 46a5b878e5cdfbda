import { randomBytes } from "node:crypto";
import { encodeRelease, type Key } from "@touchmark/core";
import { nobleCrypto } from "@touchmark/core/noble";
import type { Tab } from "../../../../test/support/chromium.ts";
import {
  type BrowserEdges,
  type BrowserEnrolledKey,
  type BrowserEnrollRequest,
  type BrowserSignature,
  type BrowserSignRequest,
  enrollInBrowser,
  signInBrowser,
} from "../../src/browser/index.ts";

export const LOCALHOST = { rpId: "localhost", page: null };
export const NO_DEMANDS = { userVerification: false, deviceBound: false };

/** A release to be signed; another number, other bytes. */
export function payloadOf(patch: number): Uint8Array {
  const sha512 = "ab".repeat(64);
  return encodeRelease({
    logs: ["log.example/main"],
    releases: [{ releaseId: `npm:npmjs/@acme/widget@1.0.${patch}`, sha512, tarSha512: sha512, base: "0.9.0" }],
  });
}

export function edgesFor(show: BrowserEdges["show"], changes: Partial<BrowserEdges> = {}): BrowserEdges {
  return { show, signal: new AbortController().signal, timeout: 10_000, randomBytes, askCode: null, ...changes };
}

/** CDP's options of a virtual authenticator. */
export interface VirtualOptions {
  protocol?: "ctap2" | "u2f";
  transport?: "usb" | "internal" | "hybrid";
  hasResidentKey?: boolean;
  hasUserVerification?: boolean;
  isUserVerified?: boolean;
  automaticPresenceSimulation?: boolean;
  defaultBackupEligibility?: boolean;
  defaultBackupState?: boolean;
}

/** Gives the tab an authenticator in place of any that it had; the id by which CDP knows it. */
export async function giveAuthenticator(tab: Tab, options: VirtualOptions = {}): Promise<string> {
  await tab.send("WebAuthn.disable");
  await tab.send("WebAuthn.enable");
  const { protocol = "ctap2" } = options;
  const { authenticatorId } = await tab.send<{ authenticatorId: string }>("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol,
      ...(protocol === "ctap2" ? { ctap2Version: "ctap2_1" } : {}),
      transport: "usb",
      automaticPresenceSimulation: true,
      ...options,
    },
  });
  return authenticatorId;
}

/** What a person does who sees the page: press its button. */
export async function pressPrimary(tab: Tab): Promise<void> {
  await tab.until("document.querySelector('button.primary')?.disabled === false");
  await tab.evaluate("document.querySelector('button.primary').click()");
}

export async function pressCancel(tab: Tab): Promise<void> {
  await tab.evaluate("[...document.querySelectorAll('button')].find((b) => b.textContent === 'Cancel').click()");
}

/** What the page says aloud. */
export function statusOf(tab: Tab): Promise<string> {
  return tab.evaluate<string>("document.getElementById('status').textContent");
}

export async function enrollIn(
  tab: Tab,
  changes: Partial<BrowserEnrollRequest> = {},
  then: (tab: Tab) => Promise<void> = pressPrimary,
): Promise<BrowserEnrolledKey> {
  const request = {
    place: LOCALHOST,
    holder: "alice",
    excludeCredentialIds: [],
    userVerification: false,
    crypto: nobleCrypto,
    ...changes,
  };
  return await enrollInBrowser(request, edgesFor(openAnd(tab, then)));
}

export async function signIn(
  tab: Tab,
  keys: readonly { credentialId: Uint8Array; key: Key }[],
  changes: Partial<BrowserSignRequest> = {},
  then: (tab: Tab) => Promise<void> = pressPrimary,
): Promise<BrowserSignature> {
  const request = {
    place: LOCALHOST,
    payload: payloadOf(0),
    keys,
    demands: NO_DEMANDS,
    crypto: nobleCrypto,
    ...changes,
  };
  return await signInBrowser(request, edgesFor(openAnd(tab, then)));
}

export function openAnd(tab: Tab, then: (tab: Tab) => Promise<void>): (url: string) => Promise<void> {
  return async (url) => {
    await tab.open(url);
    await then(tab);
  };
}

/** The code of whatever is thrown, or "nothing". */
export async function codeOf(act: Promise<unknown>): Promise<string> {
  try {
    await act;
    return "nothing";
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error)) throw error;
    if (!/^\S[^\n]*[.!]$/.test(error.message)) throw new Error(`not one sentence: ${error.message}`, { cause: error });
    return String(error.code);
  }
}
