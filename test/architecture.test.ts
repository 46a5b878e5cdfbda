import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, test } from "vitest";

// What the packages promise each other, read from their sources.

const ROOT = join(import.meta.dirname, "..");

/** Which packages of the workspace each one may import: only what stands left of it. */
const MAY_IMPORT: Record<string, string[]> = {
  core: [],
  log: ["core"],
  verify: ["core", "log"],
  fido: ["core"],
  "log-server": ["core", "log"],
  cli: ["core", "log", "verify", "fido", "log-server"],
};
const NAMES = new Map(Object.keys(MAY_IMPORT).map((folder) => [readManifest(folder).name, folder]));

const sources = Object.keys(MAY_IMPORT).flatMap((folder) =>
  readSources(`packages/${folder}/src`).map((file) => ({ ...file, folder })),
);
const tests = [
  ...Object.keys(MAY_IMPORT).flatMap((folder) => readSources(`packages/${folder}/test`)),
  ...["test", "demo", "bench", "scripts", "model"].flatMap(readSources),
];
const core = sources.filter(({ folder }) => folder === "core");

describe("imports", () => {
  test("every package of the workspace has its place in the order", () => {
    const folders = readdirSync(join(ROOT, "packages"));
    expect(folders.toSorted()).toEqual(Object.keys(MAY_IMPORT).toSorted());
    expect(sources.length).toBeGreaterThan(40);
  });

  test("point only to the left: core <- log <- verify <- cli; core, log <- log-server; core <- fido <- cli", () => {
    const wrong = sources.flatMap(({ path, folder, text }) =>
      importsOf(text)
        .filter((name) => {
          const target = NAMES.get(packageOf(name));
          return target !== undefined && !MAY_IMPORT[folder]!.includes(target);
        })
        .map((name) => `${path} imports ${name}`),
    );
    expect(wrong).toEqual([]);
  });

  test("are dependencies of the package, and each dependency is imported", () => {
    const wrong = Object.keys(MAY_IMPORT).flatMap((folder) => {
      const { dependencies, optionalDependencies, peerDependencies } = readManifest(folder);
      const declared = Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies });
      const used = new Set(
        sources
          .filter((file) => file.folder === folder)
          .flatMap(({ text }) => importsOf(text))
          .filter((name) => !name.startsWith(".") && !name.startsWith("node:"))
          .map(packageOf),
      );
      return [
        ...[...used].filter((name) => !declared.includes(name)).map((name) => `${folder} does not declare ${name}`),
        ...declared.filter((name) => !used.has(name)).map((name) => `${folder} does not import ${name}`),
      ];
    });
    expect(wrong).toEqual([]);
  });

  test("only operators install the log server: the command line loads it where it is there", () => {
    const { dependencies = {}, peerDependenciesMeta = {} } = readManifest("cli");
    expect(dependencies).not.toHaveProperty("@touchmark/log-server");
    expect(peerDependenciesMeta["@touchmark/log-server"]).toEqual({ optional: true });
    const importing = sources.filter(({ folder, text }) => {
      const loaded = withoutComments(text).replaceAll(/^import type [^;]*;/gm, "");
      return folder === "cli" && importsOf(loaded).includes("@touchmark/log-server");
    });
    expect(importing.map(({ path }) => path)).toEqual(["packages/cli/src/log/server-module.ts"]);
    const eager = sources.filter(({ text }) => /\bfrom\s+"[^"]*\/log-(?:witness-|audit-)?serve\.ts"/.test(text));
    expect(eager.map(({ path }) => path)).toEqual([]);
  });

  test("do not reach into another package's folder", () => {
    const wrong = sources.flatMap(({ path, folder, text }) =>
      importsOf(text)
        .filter((name) => name.startsWith("."))
        .map((name) => relative(join(ROOT, "packages", folder, "src"), join(ROOT, path, "..", name)))
        .filter((target) => target.startsWith(".."))
        .map((target) => `${path} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  test("node-hid is imported in exactly one file", () => {
    const importing = sources.filter(({ text }) => importsOf(text).map(packageOf).includes("node-hid"));
    expect(importing.map(({ folder }) => folder)).toEqual(["fido"]);
  });
});

describe("core is pure", () => {
  test("no node: import", () => {
    const wrong = core.filter(({ text }) => importsOf(text).some((name) => name.startsWith("node:")));
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  test("no Node globals, clock, randomness, network or console", () => {
    const impure = /\b(?:Buffer|process|globalThis|Date|performance|setTimeout|fetch|console|__dirname)\b|Math\.random/;
    const wrong = core.filter(({ text }) => impure.test(withoutWords(text)));
    expect(wrong.map(({ path }) => path)).toEqual([]);
    expect(core.length).toBeGreaterThan(15);
  });
});

describe("files", () => {
  test("have fewer than 400 lines", () => {
    const long = [...sources, ...tests].map(({ path, text }) => ({ path, lines: text.split("\n").length - 1 }));
    expect(long.filter(({ lines }) => lines >= 400)).toEqual([]);
  });

  test("are named after what is in them: no utils, no types", () => {
    const wrong = [...sources, ...tests].filter(({ path }) => /\/(?:utils?|types|helpers|common|misc)\.ts$/.test(path));
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  test("barrels name what they export", () => {
    const wrong = sources.filter(({ text }) => /^export \*/m.test(text));
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });
});

describe("rules of the specification", () => {
  const spec = readdirSync(join(ROOT, "docs/spec")).map((name) => readFileSync(join(ROOT, "docs/spec", name), "utf8"));
  const defined = spec.flatMap((text) => matchesOf(text, /\*\*\[([A-Z]-\d+)\]\*\*/g));

  test("are defined once", () => {
    const twice = defined.filter((rule, at) => defined.indexOf(rule) !== at);
    expect(twice).toEqual([]);
    expect(defined.length).toBeGreaterThan(100);
  });

  test("cited in the specification are defined there", () => {
    const cited = spec.flatMap((text) => matchesOf(text, CITED));
    expect(cited.filter((rule) => !defined.includes(rule))).toEqual([]);
  });

  test("cited in code, in comments and as strings, are defined", () => {
    const unknown = [...sources, ...tests].flatMap(({ path, text }) =>
      [...matchesOf(text, CITED), ...matchesOf(text, QUOTED)]
        .filter((rule) => !CURVES.includes(rule) && !defined.includes(rule))
        .map((rule) => `${path} cites ${rule}`),
    );
    expect(unknown).toEqual([]);
  });

  test("of chapters 02 and 03 that a parser can break are cited in core", () => {
    const cited = new Set(core.flatMap(({ text }) => [...matchesOf(text, CITED), ...matchesOf(text, QUOTED)]));
    // [S-9] is kept by the absence of a field, [K-15] by the package that talks to keys, and so are [K-20] to [K-23], on attestation.
    const elsewhere = ["S-9", "K-15", "K-20", "K-21", "K-22", "K-23"];
    const rules = defined.filter((rule) => /^[KS]-/.test(rule) && !elsewhere.includes(rule));
    expect(rules.filter((rule) => !cited.has(rule))).toEqual([]);
  });
});

const CITED = /\[([A-Z]-\d+)\]/g;
const QUOTED = /["'`]([A-Z]-\d+)["'`]/g;
const CURVES = ["P-256", "P-384", "P-521"];

interface SourceFile {
  path: string;
  text: string;
}

function readSources(folder: string): SourceFile[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.includes("node_modules"))
    .map((name) => ({ path: join(folder, name), text: readFileSync(join(ROOT, folder, name), "utf8") }));
}

interface Manifest {
  name: string;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  peerDependenciesMeta?: Record<string, { optional: boolean }>;
}

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(ROOT, "packages", folder, "package.json"), "utf8")) as Manifest;
}

/** What a file imports, statically, dynamically, by type or by re-export. */
function importsOf(text: string): string[] {
  const code = withoutComments(text);
  return [
    ...matchesOf(code, /\bfrom\s+["']([^"']+)["']/g),
    ...matchesOf(code, /\bimport\s+["']([^"']+)["']/g),
    ...matchesOf(code, /\b(?:import|require|(?:require|import\.meta)\.resolve)\(\s*["']([^"']+)["']/g),
  ];
}

function packageOf(name: string): string {
  return name
    .split("/")
    .slice(0, name.startsWith("@") ? 2 : 1)
    .join("/");
}

function matchesOf(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map((match) => match[1]!);
}

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[^]*?\*\/|(?<=^|\s)\/\/.*$/gm, "");
}

function withoutWords(text: string): string {
  return withoutComments(text).replaceAll(/"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g, '""');
}
