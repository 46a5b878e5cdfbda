// The page as files that a browser loads: HTML, a style sheet, and the modules of page/main with all that they import. One walk over the imports
// serves the sources (their types are taken off on the way) and the published package alike, so that what is tested is what is shipped,
// no bundler is needed at run time, and what a team puts on its domain can be read.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import module from "node:module";
import { fileURLToPath } from "node:url";

export interface PageFile {
  readonly type: string;
  readonly body: Uint8Array;
}

const IS_SOURCE = import.meta.url.endsWith(".ts");
// An import or export with a specifier, at the beginning of a line; comments are taken off before.
const IMPORT = /^(?:import|export)\b(?:[^"';]*?\bfrom)?\s*(["'])([^"'\n]+)\1/gm;
const COMMENT = /\/\*[^]*?\*\/|^[ \t]*\/\/.*$/gm;

let known: ReadonlyMap<string, PageFile> | undefined;

/** Every file of the page by its name; `index.html` is the page. Read once. Throws what reading throws. */
export function readPageFiles(): ReadonlyMap<string, PageFile> {
  known ??= readFiles();
  return known;
}

function readFiles(): Map<string, PageFile> {
  const folder = new URL("page/", import.meta.url);
  const modules = readModules(fileURLToPath(new URL(IS_SOURCE ? "main.ts" : "main.js", folder)));
  const preload = [...modules.keys()].map((name) => `    <link rel="modulepreload" href="${name}" />\n`).join("");
  const html = readFileSync(new URL("index.html", folder), "utf8").replace("  </head>", () => `${preload}  </head>`);
  return new Map([
    ["index.html", { type: "text/html; charset=utf-8", body: Buffer.from(html) }],
    ["page.css", { type: "text/css; charset=utf-8", body: readFileSync(new URL("page.css", folder)) }],
    ...[...modules].map(([name, text]): [string, PageFile] => [
      name,
      { type: "text/javascript; charset=utf-8", body: Buffer.from(text) },
    ]),
  ]);
}

/** The text of each module by its name in the page, with its imports pointing to the others' names. */
function readModules(main: string): Map<string, string> {
  const names = new Map([[main, "main.js"]]);
  const modules = new Map<string, string>();
  for (const [path, own] of names) {
    const require = module.createRequire(path);
    const nameOf = (specifier: string): string => {
      const target = require.resolve(specifier);
      const name = names.get(target) ?? freeName(target, new Set(names.values()));
      names.set(target, name);
      return name;
    };
    modules.set(own, link(readScript(path), nameOf));
  }
  return modules;
}

function link(script: string, nameOf: (specifier: string) => string): string {
  const specifiers = new Set([...script.replaceAll(COMMENT, "").matchAll(IMPORT)].map(([, , specifier]) => specifier!));
  let linked = script;
  for (const specifier of specifiers)
    for (const quote of ['"', "'"])
      linked = linked.replaceAll(`${quote}${specifier}${quote}`, () => `"./${nameOf(specifier)}"`);
  return linked;
}

// `utils.js` of two packages are told apart by a digest of their content, which is the same on every machine.
function freeName(path: string, taken: ReadonlySet<string>): string {
  const [, name = "module"] = /([^/\\]+)\.[jt]s$/.exec(path) ?? [];
  if (!taken.has(`${name}.js`)) return `${name}.js`;
  return `${name}-${createHash("sha256").update(readFileSync(path)).digest("hex").slice(0, 8)}.js`;
}

function readScript(path: string): string {
  const text = readFileSync(path, "utf8");
  if (!path.endsWith(".ts")) return text.replace(/^\/\/# sourceMappingURL=.*$/m, "");
  return stripTypes(text);
}

// Only where Touchmark runs from its sources. Node warns that this way of doing what it does itself for every file here may change.
function stripTypes(text: string): string {
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = () => undefined;
  try {
    return module.stripTypeScriptTypes(text);
  } finally {
    process.emitWarning = emitWarning;
  }
}
