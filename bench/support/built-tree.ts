import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { build, PACKAGES, ROOT } from "../../scripts/build.ts";

/**
 * Builds the packages and lays them out in a temporary folder as they are published (dist, with the exports of `publishConfig`), so that what is
 * measured is what people run. The folder; its `node_modules/touchmark` is the command line.
 */
export async function builtTree(): Promise<string> {
  tree ??= await layOutTree();
  return tree;
}

let tree: string | undefined;

async function layOutTree(): Promise<string> {
  await build();
  const folder = mkdtempSync(join(tmpdir(), "touchmark-bench-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  for (const name of PACKAGES) layOut(folder, join(ROOT, "packages", name));
  return folder;
}

function layOut(folder: string, source: string): void {
  const { publishConfig, ...manifest } = JSON.parse(readFileSync(join(source, "package.json"), "utf8")) as {
    name: string;
    publishConfig: object;
  };
  const target = join(folder, "node_modules", manifest.name);
  mkdirSync(target, { recursive: true });
  writeFileSync(join(target, "package.json"), JSON.stringify({ ...manifest, ...publishConfig }));
  copyTree(join(source, "dist"), join(target, "dist"));
  linkDependencies(join(source, "node_modules"), join(target, "node_modules"));
}

function copyTree(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (entry.isDirectory()) copyTree(join(from, entry.name), join(to, entry.name));
    else if (entry.name.endsWith(".js")) writeFileSync(join(to, entry.name), readFileSync(join(from, entry.name)));
  }
}

// Foreign packages are linked; our own are found one level up, in their published layout.
function linkDependencies(from: string, to: string): void {
  if (!existsSync(from)) return;
  for (const name of readdirSync(from).flatMap((entry) =>
    entry.startsWith("@") ? readdirSync(join(from, entry)).map((part) => `${entry}/${part}`) : [entry],
  )) {
    if (name.startsWith(".") || name.startsWith("@touchmark/")) continue;
    mkdirSync(dirname(join(to, name)), { recursive: true });
    symlinkSync(realpathSync(join(from, name)), join(to, name));
  }
}
