// Policies good and bad, by chapter 07: what `touchmark.json` says is told here beforehand.
import { readFileSync } from "node:fs";

/** `document` is the file's text. `refused`: the rule that it breaks. `says`: what a good one comes to. */
export type PolicyCase = { name: string; now: number; document: string } & ({ refused: string } | { says: PolicySays });

export interface PolicySays {
  /** By package name, the rule that counts for it [P-4]. */
  rules?: Record<string, { level: string; authority: string | null }>;
  /** By a tarball's address, the registry that it belongs to, null for none [P-3]. */
  registries?: Record<string, string | null>;
  sources?: { git: boolean; remote: boolean; file: boolean };
  freshness?: { online: number; offline: number };
  /** The overlap of the quorum, null where none is demanded. */
  overlap?: number | null;
}

const NOW = 1_800_000_000; // 2027-01-15
const PIN = `sha256:${"ab".repeat(32)}`;
const keys = JSON.parse(
  readFileSync(new URL("../../../../test/vectors/cosigning/keys.json", import.meta.url), "utf8"),
) as Record<string, { vkey: string }>;
const LOG = { url: "https://log.example/main/", origin: "log.example/main", key: keys["log"]!.vkey };
const BASE = { version: 1, registries: { npmjs: ["https://registry.example/"] }, log: LOG };
const WITNESSES = [`witness W1 ${keys["w1"]!.vkey}`, `witness W2 ${keys["w2"]!.vkey}`, "group both all W1 W2"];
const COMMITTEE = { "committee:watch": { authority: PIN, powers: ["hold", "review"] } };
const EXCEPTION = {
  package: "npm:npmjs/left-pad@1.3.0",
  reason: "no release since 2018",
  author: "alice",
  until: "2027-02-01",
};

export function policyCases(): PolicyCase[] {
  const text = (more: object): string => JSON.stringify({ ...BASE, ...more }, null, 2);
  const good = (name: string, more: object, says: PolicySays): PolicyCase => ({
    name,
    now: NOW,
    document: text(more),
    says,
  });
  const bad = (name: string, refused: string, more: object): PolicyCase => ({
    name,
    now: NOW,
    document: text(more),
    refused,
  });
  const raw = (name: string, refused: string, document: string): PolicyCase => ({ name, now: NOW, document, refused });
  const rule = (more: object): object => ({ packages: { "*": more } });
  const log = (more: object): object => ({ log: { ...LOG, ...more } });
  const exception = (more: object): object => ({ exceptions: [{ ...EXCEPTION, ...more }] });
  const without = (key: keyof typeof BASE): string =>
    JSON.stringify(Object.fromEntries(Object.entries(BASE).filter(([name]) => name !== key)));
  return [
    good(
      "the least that there is",
      {},
      {
        rules: { widget: { level: "ratchet", authority: null } },
        sources: { git: false, remote: false, file: false },
        freshness: { online: 86_400, offline: 604_800 },
        overlap: null,
      },
    ),
    good(
      "the most exact pattern is the rule",
      {
        packages: { "*": { level: "observe" }, "@acme/*": { level: "strict" }, "@acme/widget": { authority: PIN } },
      },
      {
        rules: {
          "@acme/widget": { level: "ratchet", authority: PIN },
          "@acme/gadget": { level: "strict", authority: null },
          "@acme-not/widget": { level: "observe", authority: null },
          widget: { level: "observe", authority: null },
        },
      },
    ),
    good(
      "registries by address",
      {
        registries: {
          npmjs: ["https://registry.example/", "https://mirror.example:8443/npm/"],
          own: ["http://npm.acme.example/"],
        },
      },
      {
        registries: {
          "https://registry.example/widget/-/widget-1.0.0.tgz": "npmjs",
          "https://REGISTRY.example/widget/-/widget-1.0.0.tgz": "npmjs",
          "https://mirror.example:8443/npm/widget/-/widget-1.0.0.tgz": "npmjs",
          "https://mirror.example:8443/other/widget-1.0.0.tgz": null,
          "https://mirror.example/npm/widget/-/widget-1.0.0.tgz": null,
          "http://registry.example/widget/-/widget-1.0.0.tgz": null,
          "https://registry.example.evil.example/widget-1.0.0.tgz": null,
          "http://npm.acme.example/widget/-/widget-1.0.0.tgz": "own",
        },
      },
    ),
    good(
      "sources, freshness and an exception",
      { sources: { file: "allow" }, freshness: { online: 3600 }, exceptions: [EXCEPTION] },
      {
        sources: { git: false, remote: false, file: true },
        freshness: { online: 3600, offline: 604_800 },
      },
    ),
    good("a quorum of both witnesses", log({ quorum: [...WITNESSES, "quorum both"] }), { overlap: 2 }),
    good("quorum none", log({ quorum: ["quorum none"] }), { overlap: null }),
    good("a log on this machine may be had by http", log({ url: "http://127.0.0.1:8321/" }), {}),
    good(
      "committees, letters, reviews",
      { committees: COMMITTEE, ...rule({ proof: ["a", "b"], review: ["committee:watch"], expedited: "allow" }) },
      {},
    ),
    good("an exception on its last day", exception({ until: "2027-01-15" }), {}),

    raw("no JSON", "P-1", "version: 1"),
    raw("a list", "P-1", "[]"),
    raw("a key that stands twice", "C-6", JSON.stringify(BASE).replace("{", '{"version":1,')),
    raw(
      "bytes that are no UTF-8 can't be shown here; a lone surrogate's escape can",
      "C-1",
      text({}).replace("npmjs", "\\ud800"),
    ),
    raw("no version", "P-1", without("version")),
    raw("no registries", "P-1", without("registries")),
    raw("no log", "P-1", without("log")),
    bad("version 2", "P-1", { version: 2 }),
    bad("an unknown key", "P-1", { trust: "me" }),
    bad("an unknown key in log", "P-1", log({ witnesses: [] })),
    bad("a log's address by http elsewhere", "P-2", log({ url: "http://log.example/main/" })),
    bad("a log's address without its last slash", "P-2", log({ url: "https://log.example/main" })),
    bad("a key of another origin", "P-2", log({ origin: "log.example/other" })),
    bad("a cosigner's key for the log", "P-2", log({ origin: "w1.example", key: keys["w1"]!.vkey })),
    bad("a key with another id", "P-2", log({ key: LOG.key.replace(/\+[0-9a-f]{8}\+/, "+00000000+") })),
    bad("a registry's name that is an address", "P-3", {
      registries: { "https://registry.example/": ["https://registry.example/"] },
    }),
    bad("a registry without addresses", "P-3", { registries: { npmjs: [] } }),
    bad("an address with a query", "P-3", { registries: { npmjs: ["https://registry.example/?a=b"] } }),
    bad("an address without its last slash", "P-3", { registries: { npmjs: ["https://registry.example/npm"] } }),
    bad("an address with a user", "P-3", { registries: { npmjs: ["https://me@registry.example/"] } }),
    bad("one address under two names", "P-3", {
      registries: { npmjs: ["https://registry.example/"], own: ["https://registry.example/"] },
    }),
    bad("a pattern with a star inside", "P-4", { packages: { "@acme/w*": {} } }),
    bad("a pattern of a scope without its slash", "P-4", { packages: { "@acme*": {} } }),
    bad("an unknown level", "P-5", rule({ level: "lax" })),
    bad("an authority without sha256", "P-6", rule({ authority: "ab".repeat(32) })),
    bad("an authority in upper case", "P-6", rule({ authority: `sha256:${"AB".repeat(32)}` })),
    bad("an unknown source", "P-1", { sources: { svn: "allow" } }),
    bad("a source that is neither", "P-7", { sources: { git: true } }),
    bad("an exception with a wildcard", "P-8", exception({ package: "npm:npmjs/left-pad@*" })),
    bad("an exception without a version", "P-8", exception({ package: "npm:npmjs/left-pad" })),
    bad("an exception past its day", "P-8", exception({ until: "2027-01-14" })),
    bad("an exception of 91 days", "P-8", exception({ until: "2027-04-16" })),
    bad("an exception until a day that there is not", "P-8", exception({ until: "2027-02-30" })),
    bad("an exception without a reason", "P-8", exception({ reason: "" })),
    bad("an exception with one key more", "P-8", exception({ forever: true })),
    bad("two exceptions for one release", "P-8", { exceptions: [EXCEPTION, EXCEPTION] }),
    bad("freshness of no seconds", "P-9", { freshness: { offline: 0 } }),
    bad("freshness in words", "P-9", { freshness: { offline: "7 days" } }),
    bad("a quorum in one text", "P-10", log({ quorum: "quorum none" })),
    bad("a quorum with a line feed in a line", "P-10", log({ quorum: ["quorum none\n"] })),
    bad("a quorum that names nobody known", "P-10", log({ quorum: ["quorum all"] })),
    bad("a log line in the quorum", "P-11", log({ quorum: [`log ${LOG.key}`, "quorum none"] })),
    bad("demands on keys that are no words of the policy", "P-15", rule({ keys: { hardware: true } })),
    bad("a demand that is neither true nor false", "P-15", rule({ keys: { attested: 1 } })),
    bad("attested keys, and nobody who vouches", "P-16", rule({ keys: { attested: true } })),
    bad("roots that are no certificates", "P-16", { attestationRoots: ["AAAA"] }),
    bad("a model that is no AAGUID", "P-17", {
      attestationRoots: ["MAA="],
      ...rule({ keys: { forbidModels: ["yubikey"] } }),
    }),
    bad("firmware of a maker that nobody knows", "P-18", {
      attestationRoots: ["MAA="],
      ...rule({ keys: { forbidFirmwareBelow: { acme: "1.0.0" } } }),
    }),
    bad("firmware of two numbers", "P-18", {
      attestationRoots: ["MAA="],
      ...rule({ keys: { forbidFirmwareBelow: { yubico: "5.7" } } }),
    }),
    bad("a committee by a package's id", "P-20", { committees: { "npm:npmjs/widget": COMMITTEE["committee:watch"] } }),
    bad("a committee without an authority", "P-20", { committees: { "committee:watch": { powers: ["hold"] } } }),
    bad("a committee with an unknown power", "P-20", {
      committees: { "committee:watch": { authority: PIN, powers: ["rule"] } },
    }),
    bad("a letter that there is not", "P-21", rule({ proof: ["f"] })),
    bad("a letter twice", "P-21", rule({ proof: ["a", "a"] })),
    bad("reviews by a committee without that power", "P-22", {
      committees: { "committee:watch": { authority: PIN, powers: ["hold"] } },
      ...rule({ review: ["committee:watch"] }),
    }),
    bad("reviews by a committee that the policy does not recognise", "P-22", rule({ review: ["committee:watch"] })),
    bad("expedited by a truth value", "P-23", rule({ expedited: true })),
  ];
}
