import { encodeBase64Url, encodeUtf8 } from "@touchmark/core";
import { describe, expect, test } from "vitest";
import { fc } from "../../../core/test/support/property.ts";
import {
  encodeAnswer,
  encodeErrand,
  encodeRequest,
  parseAnswer,
  parseCode,
  parseErrand,
  parseRequest,
  type PageRequest,
} from "../../src/browser/messages.ts";
import { isBrowserSpec, parseBrowserSpec } from "../../src/index.ts";
import { payloadOf } from "./kit.ts";

describe("browser and browser:https://…: where the page stands", () => {
  test.each([
    ["browser", "localhost", null],
    ["browser:https://sign.team.example/", "sign.team.example", "https://sign.team.example/"],
    ["browser:https://sign.team.example", "sign.team.example", "https://sign.team.example/"],
    ["browser:https://team.example:8443/touchmark/", "team.example", "https://team.example:8443/touchmark/"],
  ])("%s", (spec, rpId, page) => {
    expect(isBrowserSpec(spec)).toBe(true);
    expect(parseBrowserSpec(spec)).toEqual({ rpId, page });
  });

  test.each([
    "browser:",
    "browser:sign.team.example",
    "browser:http://sign.team.example/",
    "browser:https://localhost/",
    "browser:https://a.localhost/",
    "browser:https://127.0.0.1/",
    "browser:https://[::1]/",
    "browser:https://team.example/?a",
    "browser:https://team.example/#a",
    "browser:https://alice@team.example/",
    "browser:https://TEAM.example/",
    "browser:https://team.example/../",
    "browser:https://te\u00e4m.example/",
    "browsers",
  ])("%s is none", (spec) => {
    expect(() => parseBrowserSpec(spec)).toThrow(expect.objectContaining({ code: "BAD_DEVICE_SPEC" }));
  });
});

describe("messages between the program and its page", () => {
  const request: PageRequest = {
    kind: "sign",
    payload: payloadOf(0),
    keys: [],
    userVerification: true,
    deviceBound: false,
    page: "https://sign.team.example/",
  };

  test("what one side writes the other reads", () => {
    const back = { origin: "http://localhost:4711", secret: "s" };
    expect(parseRequest(encodeRequest(request))).toEqual(request);
    expect(parseErrand(encodeErrand({ request, back }))).toEqual({ request, back });
    const answer = { kind: "signed", signature: Uint8Array.of(1, 2) } as const;
    expect(parseAnswer(encodeAnswer(answer))).toEqual(answer);
  });

  test.each(["https://evil.example", "http://localhost", "http://localhost:80/x", "http://127.0.0.1:80"])(
    "an answer never goes back to %s",
    (origin) => {
      const errand = encodeErrand({ request, back: { origin, secret: "s" } });
      expect(() => parseErrand(errand)).toThrow(expect.objectContaining({ code: "MALFORMED" }));
    },
  );

  test("anything else is refused in words", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        const code = encodeBase64Url(encodeUtf8(text));
        for (const read of [
          () => parseRequest(text),
          () => parseAnswer(text),
          () => parseCode(code),
          () => parseErrand(code),
        ])
          expect(read).toThrow(expect.objectContaining({ name: "CoreError" }));
      }),
    );
  });
});
