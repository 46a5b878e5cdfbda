import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readFileSync, rmSync } from "node:fs";
import { glob } from "node:fs/promises";
import { basename, join } from "node:path";
import { type Plugin, rolldown } from "rolldown";
import { minifySync } from "rolldown/experimental";
import { compileAtOnce } from "./compile-at-once.ts";

export const PACKAGES: string[] = ["core", "log", "log-server", "fido", "verify", "cli"];
export const ROOT: string = join(import.meta.dirname, "..");

/**
 * Builds every package's dist from nothing, since a source that was deleted must not live on in what is published: declarations by the compiler, and one
 * JavaScript file for each entry point. The command line takes core, log and verify into a file of its own, with all that `touchmark verify` needs:
 * a program that opens thirty files starts at half the speed of one that opens three, and verification is what starts most often.
 */
export async function build(): Promise<void> {
  for (const name of PACKAGES) rmSync(join(ROOT, "packages", name, "dist"), { recursive: true, force: true });
  const references = PACKAGES.map((name) => join(ROOT, "packages", name));
  const compiler = spawnSync("tsc", ["-b", ...references], { cwd: ROOT, stdio: "inherit" });
  if (compiler.status !== 0) process.exit(compiler.status ?? 1);
  for (const name of PACKAGES) await bundle(join(ROOT, "packages", name));
  const cli = join(ROOT, "packages/cli/dist");
  compileAtOnce(join(cli, "chunks/verify.js"), join(cli, "main.js"));
}

async function bundle(directory: string): Promise<void> {
  const manifest = JSON.parse(readFileSync(join(directory, "package.json"), "utf8")) as Manifest;
  const page = "./src/browser/page";
  const hasPage = existsSync(join(directory, page));
  const sources = [
    ...Object.values(manifest.exports),
    ...Object.values(manifest.bin ?? {}),
    ...(hasPage ? [`${page}/main.ts`] : []), // loaded by browsers only
    ...THREADS.filter((source) => existsSync(join(directory, source))),
  ];
  const dist = join(directory, "dist");
  for await (const file of glob("**/*.js", { cwd: dist })) rmSync(join(dist, file));
  const isCli = basename(directory) === "cli";
  const external = (id: string): boolean => !id.startsWith(".") && !id.startsWith("/") && !(isCli && INLINED.has(id));
  const forVerify = isCli
    ? await modulesOf(
        VERIFY.map((source) => join(directory, source)),
        external,
      )
    : null;
  const bundler = await rolldown({
    input: Object.fromEntries(sources.map((source) => [entryName(source), join(directory, source)])),
    external,
    platform: "node",
  });
  await bundler.write({
    dir: dist,
    format: "esm",
    entryFileNames: "[name].js",
    chunkFileNames: "chunks/[name].js",
    ...(forVerify ? { codeSplitting: { groups: [{ name: "verify", test: (id) => forVerify.has(id) }] } } : {}),
    minifyInternalExports: false, // a facade then passes on names as they are
    comments: false,
    plugins: [builtinsByCall, minified, asciiOnly, pastFacades],
  });
  await bundler.close();
  if (!hasPage) return;
  for (const file of ["index.html", "page.css"]) cpSync(join(directory, page, file), join(dist, "browser/page", file));
}

/** Begun as threads, each by the name of its file. */
const THREADS = ["./src/signatures/check-thread.ts"];
const INLINED = new Set(["@touchmark/core", "@touchmark/log", "@touchmark/verify"]);
const VERIFY = ["./src/terminal.ts", "./src/commands/verify.ts"];

/** The modules that a bundle of these alone would hold, without what they load later on. */
async function modulesOf(sources: string[], external: (id: string) => boolean): Promise<Set<string>> {
  const bundler = await rolldown({
    input: sources,
    external,
    platform: "node",
    plugins: [{ name: "nothing-later", resolveDynamicImport: () => ({ id: "later", external: true }) }],
  });
  const { output } = await bundler.generate({ format: "esm" });
  await bundler.close();
  return new Set(output.flatMap((chunk) => (chunk.type === "chunk" ? Object.keys(chunk.modules) : [])));
}

/**
 * `import { readFileSync } from "node:fs"` makes Node look at every export of the module, which for `node:fs` alone loads all of the streams and costs
 * several milliseconds at each start. Taken by a call, only what is named is touched.
 */
const builtinsByCall: Plugin = {
  name: "builtins-by-call",
  renderChunk: (code) =>
    code.replaceAll(/^import \{ ([^}]+) \} from "(node:[^"]+)";$/gm, (_, names: string, module: string) => {
      return `const { ${names.replaceAll(" as ", ": ")} } = process.getBuiltinModule("${module}");`;
    }),
};

/** What `touchmark verify` loads is read by V8 at each start: the shorter, the sooner. The sources are published beside it. */
const minified: Plugin = {
  name: "minified",
  generateBundle: (_, outputs) => {
    for (const output of Object.values(outputs)) {
      if (output.type !== "chunk" || output.name !== "verify") continue;
      output.code = minifySync(output.fileName, output.code, { module: true, compress: true, mangle: true }).code;
    }
  },
};

/** One character beyond Latin-1 makes V8 hold the whole file at two bytes a character, and read it more slowly. All of them stand in texts. */
const asciiOnly: Plugin = {
  name: "ascii-only",
  generateBundle: (_, outputs) => {
    for (const output of Object.values(outputs)) {
      if (output.type === "chunk") output.code = output.code.replaceAll(/[^\0-\x7f]/g, escapeUnit);
    }
  },
};

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** A chunk that only passes on what another one holds is one file more to open, a millisecond at each start: what is loaded is the other one. */
const pastFacades: Plugin = {
  name: "past-facades",
  generateBundle: (_, outputs) => {
    const chunks = Object.values(outputs).filter((output) => output.type === "chunk");
    for (const { code, fileName, isEntry } of chunks) {
      const [, behind] = /^export \{ [\w$]+(?:, [\w$]+)* \} from "\.\/([^"]+)";\s*$/.exec(code) ?? [];
      if (isEntry || behind === undefined) continue;
      for (const chunk of chunks) chunk.code = chunk.code.replaceAll(`/${basename(fileName)}")`, `/${behind}")`);
      delete outputs[fileName];
    }
  },
};

interface Manifest {
  exports: Record<string, string>;
  bin?: Record<string, string>;
}

// `./src/testing/index.ts` is published as `dist/testing/index.js`, beside its declarations.
function entryName(source: string): string {
  return source.slice("./src/".length, -".ts".length);
}

if (import.meta.main) await build();
