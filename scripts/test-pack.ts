import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { submissions } from "../bench/support/log-load.ts";
import { build, PACKAGES, ROOT } from "./build.ts";

// Packs every package as it would be published, lints the tarballs, installs them in an empty folder and uses them there.
const LOG = "log.example/pack";
const work = mkdtempSync(join(tmpdir(), "touchmark-pack-"));
try {
  await build();
  const tarballs = PACKAGES.map((name) => pack(join(ROOT, "packages", name)));
  for (const tarball of tarballs) lint(tarball);
  const consumer = install(tarballs);
  use(consumer);
  useLog(consumer);
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

/** The log checks signatures in a thread, whose program is a file beside its own. */
function useLog(folder: string): void {
  const [good, other] = submissions(LOG, 2);
  const signature = /(?<=\\"sig\\":\\")[^\\]+/;
  const bad = good!.replace(signature, signature.exec(other!)![0]);
  const program = `
    import { readFileSync } from "node:fs";
    import { noteSigner } from "@touchmark/log";
    import { createStore, openFolder, startLogServer } from "@touchmark/log-server";
    const clock = () => Math.floor(Date.now() / 1000);
    const signer = noteSigner(${JSON.stringify(LOG)}, new Uint8Array(32).fill(1));
    const store = await createStore(await openFolder("log", true), signer, clock());
    const server = await startLogServer({ store, clock });
    for (const body of JSON.parse(readFileSync("submissions.json", "utf8"))) {
      const { status } = await fetch("http://127.0.0.1:" + server.port + "/submit", { method: "POST", body });
      console.log(status);
    }
    await server.close();`;
  writeFileSync(join(folder, "submissions.json"), JSON.stringify([bad, good]));
  writeFileSync(join(folder, "use-log.js"), program);
  const statuses = run(process.execPath, ["use-log.js"], folder).trim().split("\n");
  if (statuses.join() !== "422,200") throw new Error(`the log answers ${statuses.join()}`);
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
