import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { glob } from "node:fs/promises";
import { join } from "node:path";
import { rolldown } from "rolldown";

export const PACKAGES: string[] = ["core", "log", "log-server", "fido", "verify", "cli"];
export const ROOT: string = join(import.meta.dirname, "..");

/**
 * Builds every package's dist from nothing, since a source that was deleted must not live on in what is published: declarations by the compiler, and one
 * JavaScript file for each entry point, because a command line that opens sixty files starts at half the speed of one that opens ten.
 */
export async function build(): Promise<void> {
  for (const name of PACKAGES) rmSync(join(ROOT, "packages", name, "dist"), { recursive: true, force: true });
  const references = PACKAGES.map((name) => join(ROOT, "packages", name));
  const compiler = spawnSync("tsc", ["-b", ...references], { cwd: ROOT, stdio: "inherit" });
  if (compiler.status !== 0) process.exit(compiler.status ?? 1);
  for (const name of PACKAGES) await bundle(join(ROOT, "packages", name));
}

async function bundle(directory: string): Promise<void> {
  const manifest = JSON.parse(readFileSync(join(directory, "package.json"), "utf8")) as Manifest;
  const sources = [...Object.values(manifest.exports), ...Object.values(manifest.bin ?? {})];
  const dist = join(directory, "dist");
  for await (const file of glob("**/*.js", { cwd: dist })) rmSync(join(dist, file));
  const bundler = await rolldown({
    input: Object.fromEntries(sources.map((source) => [entryName(source), join(directory, source)])),
    external: /^(?:node:|@|[a-z])/, // every import that is not relative stays one
    platform: "node",
  });
  await bundler.write({
    dir: dist,
    format: "esm",
    entryFileNames: "[name].js",
    chunkFileNames: "chunks/[name].js",
    sourcemap: true,
  });
  await bundler.close();
}

interface Manifest {
  exports: Record<string, string>;
  bin?: Record<string, string>;
}

// `./src/testing/index.ts` is published as `dist/testing/index.js`, beside its declarations.
function entryName(source: string): string {
  return source.slice("./src/".length, -".ts".length);
}

if (import.meta.main) await build();
