import { hash } from "node:crypto";
import type { Json, JsonObject } from "../../src/index.ts";
import { bad, good, type PayloadCase } from "./payload-case.ts";
import { GADGET, get, put, release, reversed, WIDGET } from "./payload-parts.ts";

/** Releases by [S-18] and [S-19]. */
export function releasePayloads(): PayloadCase[] {
  return [...accepted(), ...subjects(), ...details(), ...source()];
}

const TWO = [`${GADGET}@2.0.0-rc.1+build.5`, `${WIDGET}@1.0.0`];

function accepted(): PayloadCase[] {
  return [
    good("S-18", "one package", release()),
    good("S-18", "two packages", release(TWO)),
    good("S-18", "two versions of one package", release([`${WIDGET}@1.0.0`, `${WIDGET}@1.0.1`])),
    good("S-18", "a base", detailed({ base: "0.9.0" })),
    good("S-18", "a staged publish", detailed({ base: null, stage: "s".repeat(128) })),
    good("S-19", "a source", sourced({ repository: "https://git.example/widget", commit: "ab".repeat(20) })),
    good("S-19", "a source with a commit of 64 digits", sourced({ repository: "x", commit: "ab".repeat(32) })),
  ];
}

function subjects(): PayloadCase[] {
  const two = release(TWO);
  const digest = (value: Json): JsonObject => put(release(), ["subject", 0, "digest"], value);
  const [sha512, tarSha512] = [hash("sha512", "tgz"), hash("sha512", "tar")];
  return [
    bad("C-11", "a name without version", release([WIDGET])),
    bad("C-11", "a version with a v", release([`${WIDGET}@v1.0.0`])),
    bad("C-11", "a version of two numbers", release([`${WIDGET}@1.0`])),
    bad("C-11", "a version with a zero in front", release([`${WIDGET}@1.0.01`])),
    bad("C-11", "a range", release([`${WIDGET}@^1.0.0`])),
    bad("C-11", "a tag", release([`${WIDGET}@latest`])),
    bad("C-11", "a version of 257 characters", release([`${WIDGET}@1.0.0-${"a".repeat(251)}`])),
    bad("C-9", "a name that is no package id", release(["npm:widget@1.0.0"])),
    bad("S-18", "no sha512", digest({ tarSha512 })),
    bad("S-18", "no tarSha512", digest({ sha512 })),
    bad("S-18", "the digests in another order", digest({ tarSha512, sha512 })),
    bad("S-18", "a third digest", digest({ sha512, tarSha512, sha1: "" })),
    bad("S-18", "a digest in capitals", digest({ sha512: sha512.toUpperCase(), tarSha512 })),
    bad("S-18", "a digest in base64", digest({ sha512: hash("sha512", "tgz", "base64"), tarSha512 })),
    bad("S-18", "a digest cut short", digest({ sha512, tarSha512: tarSha512.slice(2) })),
    bad("S-18", "a digest that is null", digest({ sha512, tarSha512: null })),
    bad("S-18", "a release without subject", put(two, ["subject"], [get(two, ["subject", 0])])),
    bad("S-18", "a subject without release", put(two, ["predicate", "releases", TWO[0]!])),
    bad(
      "S-18",
      "releases in another order",
      put(two, ["predicate", "releases"], reversed(get(two, ["predicate", "releases"]))),
    ),
    bad("S-18", "another field", put(two, ["predicate", "note"], "")),
  ];
}

function details(): PayloadCase[] {
  return [
    bad("S-18", "no base", detailed({})),
    bad("S-18", "a base that is a number", detailed({ base: 1 })),
    bad("S-18", "a base that is a range", detailed({ base: "^1.0.0" })),
    bad("S-18", "a stage in front of the base", detailed({ stage: "s", base: null })),
    bad("S-18", "a stage that is null", detailed({ base: null, stage: null })),
    bad("S-18", "an empty stage", detailed({ base: null, stage: "" })),
    bad("S-18", "a stage of 129 characters", detailed({ base: null, stage: "s".repeat(129) })),
    bad("S-18", "a stage with an escape sequence", detailed({ base: null, stage: "\u{1b}[2J" })),
    bad("S-18", "details with another field", detailed({ base: null, note: "" })),
  ];
}

function source(): PayloadCase[] {
  const commit = "ab".repeat(20);
  return [
    bad("S-19", "a source that is null", sourced(null), "MALFORMED"),
    bad("S-19", "no commit", sourced({ repository: "x" })),
    bad("S-19", "another field", sourced({ repository: "x", commit, branch: "main" })),
    bad("S-19", "an empty repository", sourced({ repository: "", commit })),
    bad("S-19", "a repository of 257 characters", sourced({ repository: "r".repeat(257), commit })),
    bad("S-19", "a repository with a space", sourced({ repository: "a b", commit })),
    bad("S-19", "a commit of 39 digits", sourced({ repository: "x", commit: commit.slice(1) })),
    bad("S-19", "a commit of 41 digits", sourced({ repository: "x", commit: `${commit}a` })),
    bad("S-19", "a commit in capitals", sourced({ repository: "x", commit: commit.toUpperCase() })),
  ];
}

function detailed(value: Json): JsonObject {
  return put(release(), ["predicate", "releases", `${WIDGET}@1.0.0`], value);
}

function sourced(value: Json): JsonObject {
  return put(release(), ["predicate", "source"], value);
}
