import { describe, expect, test } from "vitest";
import {
  encodeUtf8,
  enrolmentHash,
  SK_ECDSA,
  SK_ED25519,
  signatureFromBrowser,
  verifyEnrolmentClientData,
  verifySshSignature,
} from "../src/index.ts";
import { nobleCrypto } from "../src/noble.ts";
import { refusalOf } from "./support/refusal.ts";
import { clientDataFor, makeSoftKey } from "./support/soft-key.ts";

const ORIGIN = "https://sign.team.example";
const APPLICATION = "sign.team.example";

describe("[K-17] an enrolment in a browser", () => {
  const challenge = Buffer.from(enrolmentHash(nobleCrypto, "alice")).toString("base64url");
  const good = `{"type":"webauthn.create","challenge":"${challenge}","origin":"${ORIGIN}","crossOrigin":false}`;
  const verify = (text: string, holder = "alice", application = APPLICATION): string =>
    verifyEnrolmentClientData(nobleCrypto, { holder, application, clientData: encodeUtf8(text) });

  test("[K-15] the challenge is the hash of the holder's text", () => {
    expect(enrolmentHash(nobleCrypto, "alice")).toEqual(
      nobleCrypto.sha256(encodeUtf8("touchmark enrolment v1\nalice\n")),
    );
  });

  test("gives the origin of the page", () => {
    expect(verify(good)).toBe(ORIGIN);
    expect(verify(good, "alice", "team.example")).toBe(ORIGIN);
  });

  test.each([
    ["another holder", good, "mallory", "WRONG_CHALLENGE", "K-17"],
    ["a signature's ceremony", good.replace("create", "get"), "alice", "WRONG_CHALLENGE", "K-17"],
    [
      "another order",
      good.replace(/^\{("type":[^,]*),("challenge":[^,]*)/, "{$2,$1"),
      "alice",
      "WRONG_CHALLENGE",
      "K-17",
    ],
    ["white space", good.replace("{", "{ "), "alice", "WRONG_CHALLENGE", "K-17"],
    ["padding", good.replace(challenge, `${challenge}=`), "alice", "WRONG_CHALLENGE", "K-17"],
    ["another page", good.replace(ORIGIN, "https://sign.team.example.evil.example"), "alice", "WRONG_ORIGIN", "K-10"],
    ["no TLS", good.replace("https:", "http:"), "alice", "WRONG_ORIGIN", "K-10"],
    [
      "an origin that does not end",
      good.slice(0, good.indexOf(ORIGIN) + ORIGIN.length),
      "alice",
      "WRONG_ORIGIN",
      "K-10",
    ],
    ["too much", good.replace("}", `,"more":"${"x".repeat(4096)}"}`), "alice", "TOO_LARGE", "K-9"],
  ])("refused: %s", (_name, text, holder, code, rule) => {
    expect(refusalOf(() => verify(text, holder))).toEqual({ code, rule });
  });
});

describe("[K-9] a browser's assertion as a signature", () => {
  const soft = makeSoftKey({ type: SK_ECDSA, application: APPLICATION, origin: ORIGIN, seed: "alice" });
  const tbs = encodeUtf8("to be signed");
  const authData = (extensions = new Uint8Array(0), flags = 0x05): Uint8Array =>
    Uint8Array.from(
      Buffer.concat([nobleCrypto.sha256(encodeUtf8(APPLICATION)), Buffer.of(flags, 0, 0, 0, 7), extensions]),
    );
  const clientData = clientDataFor(tbs, ORIGIN);
  const { signature } = soft.signBytes(tbs, { flags: 0x05, counter: 7 });

  test("verifies; with extensions that the authenticator added, too", () => {
    const plain = signatureFromBrowser(nobleCrypto, soft.key, {
      authData: authData(),
      clientData,
      signature,
      origin: ORIGIN,
    });
    verifySshSignature(nobleCrypto, plain, tbs, { userVerification: true, deviceBound: true });
    const extensions = Uint8Array.of(0xa0);
    const signed = soft.signBytes(tbs, { flags: 0x85, counter: 7, extensions });
    const assertion = { authData: authData(extensions, 0x85), clientData, signature: signed.signature, origin: ORIGIN };
    const extended = signatureFromBrowser(nobleCrypto, soft.key, assertion);
    expect(extended).toEqual(signed);
    verifySshSignature(nobleCrypto, extended, tbs, { userVerification: true, deviceBound: true });
  });

  test.each([
    ["an Ed25519 key", { key: makeSoftKey({ type: SK_ED25519, application: APPLICATION }).key }, "WRONG_KEY", "K-9"],
    [
      "a key of another page",
      { key: makeSoftKey({ type: SK_ECDSA, application: "evil.example" }).key },
      "WRONG_APPLICATION",
      "K-8",
    ],
    ["authenticator data that is cut", { authData: authData().subarray(1) }, "MALFORMED", "K-9"],
    ["a signature that is no DER", { signature: signature.subarray(1) }, "BAD_SIGNATURE", "K-7"],
  ])("refused: %s", (_name, change, code, rule) => {
    const { key, ...assertion } = {
      key: soft.key,
      authData: authData(),
      clientData,
      signature,
      origin: ORIGIN,
      ...change,
    };
    expect(refusalOf(() => signatureFromBrowser(nobleCrypto, key, assertion))).toEqual({ code, rule });
  });
});
