import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build, PACKAGES, ROOT } from "./build.ts";

// Packs every package as it would be published, lints the tarballs, installs them in an empty folder and uses them there.
const work = mkdtempSync(join(tmpdir(), "touchmark-pack-"));
try {
  await build();
  const tarballs = PACKAGES.map((name) => pack(join(ROOT, "packages", name)));
  for (const tarball of tarballs) lint(tarball);
  use(install(tarballs));
  console.log(`test:pack: ${tarballs.length} tarballs are clean and work where they are installed`);
} finally {
  rmSync(work, { recursive: true, force: true });
}

function pack(directory: string): string {
  const target = mkdtempSync(join(work, "tarball-"));
  run("pnpm", ["pack", "--pack-destination", target], directory);
  const [tarball] = readdirSync(target);
  if (tarball === undefined) throw new Error(`pnpm pack made nothing of ${directory}`);
  return join(target, tarball);
}

function lint(tarball: string): void {
  run("publint", ["--strict", tarball], ROOT);
  // The packages are ES modules only, by choice; what CommonJS makes of them is not asked.
  run("attw", [tarball, "--profile", "esm-only"], ROOT);
}

function install(tarballs: string[]): string {
  const folder = join(work, "consumer");
  mkdirSync(folder);
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "consumer", private: true, type: "module" }));
  run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", ...tarballs], folder);
  return folder;
}

function use(folder: string): void {
  const program = `
    for (const name of ["@touchmark/core", "@touchmark/core/noble", "@touchmark/log", "@touchmark/log-server", "@touchmark/fido", "@touchmark/fido/browser", "@touchmark/fido/testing", "@touchmark/verify", "@touchmark/verify/npm", "touchmark"]) {
      const exports = Object.keys(await import(name));
      if (exports.length === 0) throw new Error(name + " exports nothing");
    }`;
  writeFileSync(join(folder, "use.js"), program);
  run(process.execPath, ["use.js"], folder);
  const help = run(join(folder, "node_modules/.bin/touchmark"), ["--help"], folder);
  const page = run(join(folder, "node_modules/.bin/touchmark"), ["key", "page", "--out", "page"], folder);
  if (!page.startsWith("Wrote the page")) throw new Error(`touchmark key page says something else:\n${page}`);
  if (!existsSync(join(folder, "node_modules/touchmark/.compile-cache")))
    throw new Error("touchmark compiles anew at each start");
  if (!help.includes("touchmark npm")) throw new Error(`touchmark --help says something else:\n${help}`);
}

function run(program: string, args: string[], cwd: string): string {
  const env = { ...process.env, PATH: `${join(ROOT, "node_modules/.bin")}:${process.env["PATH"]}` };
  try {
    return execFileSync(program, args, { cwd, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`${program} ${args.join(" ")} failed:\n${stdout}${stderr}`, { cause: error });
  }
}
