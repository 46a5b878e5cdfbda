// What the program and its page say to each other. The page runs this file too, so it is as pure as core.
import {
  CoreError,
  encodeBase64,
  encodeBase64Url,
  encodeCanonicalJson,
  encodeUtf8,
  isHolder,
  isObject,
  type Json,
  type JsonObject,
  type Key,
  parseBase64,
  parseBase64Url,
  parseCanonicalJson,
  parseKey,
  parseUtf8,
} from "@touchmark/core";

/** What the page is asked to do. */
export type PageRequest = EnrollRequest | SignRequest;

export interface EnrollRequest {
  readonly kind: "enroll";
  readonly holder: string;
  /** Credentials of the same page that are enrolled already. */
  readonly exclude: readonly Uint8Array[];
  readonly userVerification: boolean;
  /** Where it is to be done; null: where it came from. */
  readonly page: string | null;
}

export interface SignRequest {
  readonly kind: "sign";
  /** The statement itself: what the page shows and what is signed are both made of these bytes. */
  readonly payload: Uint8Array;
  readonly keys: readonly { readonly credentialId: Uint8Array; readonly key: Key }[];
  readonly userVerification: boolean;
  readonly deviceBound: boolean;
  readonly page: string | null;
}

/** What the page found out. */
export type PageAnswer =
  | { readonly kind: "signed"; /** The SSHSIG blob. */ readonly signature: Uint8Array }
  | {
      readonly kind: "enrolled";
      readonly clientData: Uint8Array;
      readonly authData: Uint8Array;
      readonly attestationObject: Uint8Array;
      /** By what ways the browser reaches the key: `usb`, `internal`, `hybrid` and so on. */
      readonly transports: readonly string[];
    }
  | { readonly kind: "refused"; readonly reason: Refusal };

/** `copied`: the only key that answered is a passkey that can be copied, where hardware is asked for. */
export type Refusal = "cancelled" | "excluded" | "unable" | "copied";
const REFUSALS: readonly string[] = ["cancelled", "excluded", "unable", "copied"] satisfies Refusal[];

/** A statement of the greatest length [C-15] in base64, and what goes with it. */
const MAX_REQUEST = 2 * 1024 * 1024;
/** Bytes of an answer at most. */
export const MAX_ANSWER: number = 64 * 1024;
const MAX_KEYS = 64;

export function encodeRequest(request: PageRequest): string {
  const { kind, userVerification, page } = request;
  if (kind === "enroll") {
    const exclude = request.exclude.map(encodeBase64);
    return encodeCanonicalJson({ kind, holder: request.holder, exclude, userVerification, page });
  }
  return encodeCanonicalJson({
    kind,
    payload: encodeBase64(request.payload),
    keys: request.keys.map(({ credentialId, key }) => ({ credentialId: encodeBase64(credentialId), key: key.record })),
    userVerification,
    deviceBound: request.deviceBound,
    page,
  });
}

/** Throws `MALFORMED`, `BAD_KEY`, `TOO_LARGE`. */
export function parseRequest(text: string): PageRequest {
  const value = parseCanonicalJson(text, { bytes: MAX_REQUEST, depth: 4 });
  if (isObject(value) && value["kind"] === "enroll") {
    const fields = fieldsOf(value, "kind,holder,exclude,userVerification,page");
    const holder = textOf(fields["holder"]);
    if (!isHolder(holder)) throw malformed();
    return {
      kind: "enroll",
      holder,
      exclude: listOf(fields["exclude"]).map(bytesOf),
      userVerification: fields["userVerification"] === true,
      page: pageOf(fields["page"]),
    };
  }
  const fields = fieldsOf(value, "kind,payload,keys,userVerification,deviceBound,page");
  if (fields["kind"] !== "sign") throw malformed();
  return {
    kind: "sign",
    payload: bytesOf(fields["payload"]),
    keys: listOf(fields["keys"]).map((item) => {
      const { credentialId, key } = fieldsOf(item, "credentialId,key");
      return { credentialId: bytesOf(credentialId), key: parseKey(textOf(key)) };
    }),
    userVerification: fields["userVerification"] === true,
    deviceBound: fields["deviceBound"] === true,
    page: pageOf(fields["page"]),
  };
}

/** A request on its way to a team's page, in the address after `#`; `back` is where the answer goes, null: to the person as a code. */
export interface Errand {
  readonly request: PageRequest;
  readonly back: { readonly origin: string; readonly secret: string } | null;
}

export function encodeErrand({ request, back }: Errand): string {
  const fields = { request: encodeRequest(request), back: back && { origin: back.origin, secret: back.secret } };
  return encodeBase64Url(encodeUtf8(encodeCanonicalJson(fields)));
}

/** Throws `MALFORMED`, `BAD_KEY`, `TOO_LARGE`. */
export function parseErrand(text: string): Errand {
  const value = parseCanonicalJson(parseBase64Url(text), { bytes: 2 * MAX_REQUEST, depth: 2 });
  const fields = fieldsOf(value, "request,back");
  const request = parseRequest(textOf(fields["request"]));
  if (fields["back"] === null) return { request, back: null };
  const back = fieldsOf(fields["back"], "origin,secret");
  const origin = textOf(back["origin"]);
  if (!/^http:\/\/localhost:[1-9][0-9]{0,4}$/.test(origin)) throw malformed();
  return { request, back: { origin, secret: textOf(back["secret"]) } };
}

/** An answer as a person carries it from one machine to another. */
export function encodeCode(answer: PageAnswer): string {
  return encodeBase64Url(encodeUtf8(encodeAnswer(answer)));
}

/** Throws `MALFORMED`, `TOO_LARGE`. */
export function parseCode(code: string): PageAnswer {
  return parseAnswer(parseUtf8(parseBase64Url(code.trim())));
}

export function encodeAnswer(answer: PageAnswer): string {
  const { kind } = answer;
  if (kind === "signed") return encodeCanonicalJson({ kind, signature: encodeBase64(answer.signature) });
  if (kind === "refused") return encodeCanonicalJson({ kind, reason: answer.reason });
  return encodeCanonicalJson({
    kind,
    clientData: encodeBase64(answer.clientData),
    authData: encodeBase64(answer.authData),
    attestationObject: encodeBase64(answer.attestationObject),
    transports: [...answer.transports],
  });
}

/** Throws `MALFORMED`, `TOO_LARGE`. */
export function parseAnswer(text: string): PageAnswer {
  const value = parseCanonicalJson(text, { bytes: MAX_ANSWER, depth: 2 });
  switch (isObject(value) ? value["kind"] : undefined) {
    case "signed":
      return { kind: "signed", signature: bytesOf(fieldsOf(value, "kind,signature")["signature"]) };
    case "enrolled": {
      const fields = fieldsOf(value, "kind,clientData,authData,attestationObject,transports");
      return {
        kind: "enrolled",
        clientData: bytesOf(fields["clientData"]),
        authData: bytesOf(fields["authData"]),
        attestationObject: bytesOf(fields["attestationObject"]),
        transports: listOf(fields["transports"]).map(transportOf),
      };
    }
    case "refused": {
      const reason = textOf(fieldsOf(value, "kind,reason")["reason"]);
      if (!REFUSALS.includes(reason)) throw malformed();
      return { kind: "refused", reason: reason as Refusal };
    }
    default:
      throw malformed();
  }
}

function fieldsOf(value: Json | undefined, keys: string): JsonObject {
  if (!isObject(value) || Object.keys(value).join() !== keys) throw malformed();
  return value;
}

function textOf(value: Json | undefined): string {
  if (typeof value !== "string") throw malformed();
  return value;
}

function bytesOf(value: Json | undefined): Uint8Array {
  return parseBase64(textOf(value));
}

function listOf(value: Json | undefined): Json[] {
  if (!Array.isArray(value) || value.length > MAX_KEYS) throw malformed();
  return value;
}

function transportOf(value: Json): string {
  const transport = textOf(value);
  if (!/^[a-z-]{1,32}$/.test(transport)) throw malformed();
  return transport;
}

function pageOf(value: Json | undefined): string | null {
  return value === null ? null : textOf(value);
}

function malformed(): CoreError {
  return new CoreError("MALFORMED", "C-7", "This is not a message between Touchmark and its page.");
}
