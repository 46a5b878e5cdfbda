import { generateKeyPairSync, hash } from "node:crypto";
import {
  encodeKey,
  encodeRelease,
  envelopeSignedBytes,
  FLAG_UP,
  FLAG_UV,
  parseSshSignature,
  preAuthEncoding,
  SK_ECDSA,
  verifyEnrolmentClientData,
  verifySshSignature,
} from "@touchmark/core";
import { nobleCrypto } from "@touchmark/core/noble";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasSshKeygen, verifyWithSshKeygen } from "../../../core/test/support/openssh.ts";
import { type Chromium, missingChromium, startChromium, type Tab } from "../../../../test/support/chromium.ts";
import { FLAG, parseAttestationObject } from "../../src/index.ts";
import {
  codeOf,
  enrollIn,
  giveAuthenticator,
  NO_DEMANDS,
  payloadOf,
  pressCancel,
  pressPrimary,
  signIn,
  statusOf,
} from "./kit.ts";

// Chromium's own WebAuthn with its virtual authenticators: what they sign, this project and OpenSSH verify.

const missing = missingChromium();

describe.skipIf(missing !== undefined)("WebAuthn in Chromium", () => {
  let chromium: Chromium;
  let tab: Tab;
  beforeAll(async () => {
    chromium = await startChromium();
    tab = await chromium.newTab();
  });
  afterAll(async () => {
    await chromium.close();
  });

  test("[K-9], [K-17] ES256: enrolled and signed; Touchmark and ssh-keygen verify", async () => {
    await giveAuthenticator(tab);
    const enrolled = await enrollIn(tab);
    const { format, object, clientData } = enrolled.attestation;
    expect({ application: enrolled.key.application, format }).toEqual({ application: "localhost", format: "packed" });
    expect(parseAttestationObject(object).authData.attested.credentialId).toEqual(enrolled.credentialId);
    expect(verifyEnrolmentClientData(nobleCrypto, { holder: "alice", application: "localhost", clientData })).toMatch(
      /^http:\/\/localhost:\d+$/,
    );
    const { signature, key } = await signIn(tab, [enrolled]);
    expect(key.record).toBe(enrolled.key.record);
    const parsed = parseSshSignature(signature);
    expect(parsed.webauthn?.extensions.length).toBe(0);
    verifySshSignature(nobleCrypto, parsed, envelopeSignedBytes(nobleCrypto, payloadOf(0)), NO_DEMANDS);
    if (!hasSshKeygen()) return;
    expect(verifyWithSshKeygen(key.record, preAuthEncoding(payloadOf(0)), signature).accepted).toBe(true);
    expect(verifyWithSshKeygen(key.record, preAuthEncoding(payloadOf(1)), signature).accepted).toBe(false);
  });

  test("U2F: a key without CTAP2 enrols and signs", async () => {
    await giveAuthenticator(tab, { protocol: "u2f" });
    const enrolled = await enrollIn(tab);
    expect(enrolled.attestation.format).toBe("fido-u2f");
    const { signature } = await signIn(tab, [enrolled]);
    expect(parseSshSignature(signature).flags).toBe(FLAG_UP);
  });

  test("[K-12] user verification: demanded and given, demanded and not given", async () => {
    const id = await giveAuthenticator(tab, { hasUserVerification: true, isUserVerified: true });
    const enrolled = await enrollIn(tab, { userVerification: true });
    expect(enrolled.flags & FLAG_UV).toBe(FLAG_UV);
    const demands = { userVerification: true, deviceBound: false };
    const { signature } = await signIn(tab, [enrolled], { demands });
    expect(parseSshSignature(signature).flags).toBe(FLAG_UP | FLAG_UV);
    await tab.send("WebAuthn.setUserVerified", { authenticatorId: id, isUserVerified: false });
    const refused = signIn(tab, [enrolled], { demands }, async () => {
      await pressPrimary(tab);
      await tab.until("document.querySelector('button.primary').textContent === 'Try again'");
      expect(await statusOf(tab)).toContain("Nothing was made.");
      await pressCancel(tab);
    });
    expect(await codeOf(refused)).toBe("CANCELLED");
  });

  test("resident keys: a passkey of the platform, found by its id", async () => {
    await giveAuthenticator(tab, {
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
    });
    const enrolled = await enrollIn(tab);
    const { key } = await signIn(tab, [enrolled]);
    expect(key.record).toBe(enrolled.key.record);
  });

  test("[K-13] a synced passkey signs, but not where hardware is asked for", async () => {
    await giveAuthenticator(tab, {
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      defaultBackupEligibility: true,
      defaultBackupState: true,
    });
    const enrolled = await enrollIn(tab);
    expect(enrolled.flags & (FLAG.be | FLAG.bs)).toBe(FLAG.be | FLAG.bs);
    await tab.until("document.title.startsWith('Enrolled')");
    expect(await tab.evaluate("document.body.innerText")).toContain("synced passkey");
    const { signature } = await signIn(tab, [enrolled]);
    expect(parseSshSignature(signature).flags & FLAG.bs).toBe(FLAG.bs);
    const refused = signIn(tab, [enrolled], { demands: { userVerification: false, deviceBound: true } }, async () => {
      await pressPrimary(tab);
      await tab.until("document.querySelector('button.primary').textContent === 'Try again'");
      expect(await statusOf(tab)).toContain("a passkey that can be copied");
      await pressCancel(tab);
    });
    expect(await codeOf(refused)).toBe("KEY_UNABLE");
  });

  test("an injected credential signs with its own key, and another one's credential is not asked", async () => {
    const id = await giveAuthenticator(tab);
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const credentialId = hash("sha256", "a credential", "buffer");
    await tab.send("WebAuthn.addCredential", {
      authenticatorId: id,
      credential: {
        credentialId: credentialId.toString("base64"),
        isResidentCredential: false,
        rpId: "localhost",
        privateKey: privateKey.export({ format: "der", type: "pkcs8" }).toString("base64"),
        signCount: 41,
      },
    });
    const point = publicKey.export({ format: "der", type: "spki" }).subarray(-65);
    const key = encodeKey(SK_ECDSA, point, "localhost");
    const absent = { key: (await enrollIn(tab)).key, credentialId: hash("sha256", "no credential", "buffer") };
    const { signature, key: used } = await signIn(tab, [absent, { credentialId, key }]);
    expect(used.record).toBe(key.record);
    expect(parseSshSignature(signature).counter).toBeGreaterThan(41);
    const wrong = signIn(tab, [{ credentialId, key: absent.key }], {}, async () => {
      await pressPrimary(tab);
      await tab.until("document.querySelector('button.primary').textContent === 'Try again'");
      expect(await statusOf(tab)).toContain("A signature does not verify.");
      await pressCancel(tab);
    });
    expect(await codeOf(wrong)).toBe("KEY_UNABLE");
  });

  test.each([
    ["bytes that are no signature [K-7]", { isBogusSignature: true }, "not in strict DER"],
    ["no touch [K-11]", { isBadUP: true }, "without being touched"],
  ])("the page hands over nothing that it cannot verify: %s", async (_name, bits, sentence) => {
    const id = await giveAuthenticator(tab, { hasUserVerification: true, isUserVerified: true });
    const enrolled = await enrollIn(tab);
    await tab.send("WebAuthn.setResponseOverrideBits", { authenticatorId: id, ...bits });
    const signed = signIn(tab, [enrolled], {}, async () => {
      await pressPrimary(tab);
      await tab.until("document.querySelector('button.primary').textContent === 'Try again'");
      expect(await statusOf(tab)).toContain(sentence);
      await tab.send("WebAuthn.setResponseOverrideBits", { authenticatorId: id });
      await pressPrimary(tab);
    });
    expect((await signed).key.record).toBe(enrolled.key.record);
  });

  test("the same authenticator again is refused", async () => {
    await giveAuthenticator(tab);
    const { credentialId } = await enrollIn(tab);
    const again = enrollIn(tab, { excludeCredentialIds: [credentialId] }, async () => {
      await pressPrimary(tab);
      await tab.until("document.querySelector('button.primary').textContent === 'Try again'");
      await pressCancel(tab);
    });
    expect(await codeOf(again)).toBe("CREDENTIAL_EXCLUDED");
  });

  test("time-out: the browser gives up, the page says so, and the next try works", async () => {
    const id = await giveAuthenticator(tab, { automaticPresenceSimulation: false });
    const enrolled = enrollIn(tab, {}, async () => {
      await tab.until("document.querySelector('button.primary')?.disabled === false");
      // The same call, with less patience than the page has.
      await tab.evaluate(`{
        const create = navigator.credentials.create.bind(navigator.credentials);
        navigator.credentials.create = (options) =>
          create({ ...options, publicKey: { ...options.publicKey, timeout: 500 } });
      }`);
      await pressPrimary(tab);
      await tab.until("document.querySelector('button.primary').textContent === 'Try again'");
      expect(await statusOf(tab)).toContain("not in time");
      await tab.send("WebAuthn.setAutomaticPresenceSimulation", { authenticatorId: id, enabled: true });
      await pressPrimary(tab);
    });
    expect((await enrolled).key.application).toBe("localhost");
  });

  test("[C-15] a release of 500 packages with long names is shown whole and signed with one touch", async () => {
    await giveAuthenticator(tab);
    const enrolled = await enrollIn(tab);
    const sha512 = "ab".repeat(64);
    const payload = encodeRelease({
      logs: ["log.example/main"],
      releases: Array.from({ length: 500 }, (_, i) => ({
        releaseId: `npm:npmjs/@${"s".repeat(106)}/${`${i}`.padStart(106, "n")}@1.0.0-${"a".repeat(200)}`,
        sha512,
        tarSha512: sha512,
        base: "0.9.0",
      })),
    });
    expect(payload.length).toBeGreaterThan(512 * 1024);
    const { signature } = await signIn(tab, [enrolled], { payload }, async () => {
      await tab.until("document.querySelector('button.primary')?.disabled === false");
      const shown = await tab.evaluate<string>("document.body.innerText");
      expect(shown.match(/npm:npmjs\/@s+\/n+\d+@1\.0\.0-a+/g)).toHaveLength(500);
      await pressPrimary(tab);
    });
    const tbs = envelopeSignedBytes(nobleCrypto, payload);
    verifySshSignature(nobleCrypto, parseSshSignature(signature), tbs, NO_DEMANDS);
  });

  test("refusal: nobody touches, the person cancels on the page", async () => {
    await giveAuthenticator(tab, { automaticPresenceSimulation: false });
    const cancelled = enrollIn(tab, {}, async () => {
      await pressPrimary(tab);
      await tab.until("document.getElementById('status').textContent.startsWith('Follow your browser')");
      await pressCancel(tab);
    });
    expect(await codeOf(cancelled)).toBe("CANCELLED");
    await tab.until("document.title.startsWith('Cancelled')");
  });
});
