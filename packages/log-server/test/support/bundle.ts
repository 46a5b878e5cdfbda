import { join, parse } from "node:path";
import { build } from "rolldown";

// What a log begins as a thread, by the name that it looks for beside itself.
const THREAD = "signatures/check-thread";

/** A script of this folder in a file or two, which start five times as fast as its sources do. Gives its path, in a folder of its own in `dir`. */
export async function bundleScript(script: string, dir: string): Promise<string> {
  const { name } = parse(script);
  await build({
    input: { [name]: join(import.meta.dirname, script), [THREAD]: join(import.meta.dirname, `../../src/${THREAD}.ts`) },
    platform: "node",
    logLevel: "silent",
    output: { dir: join(dir, name), entryFileNames: "[name].mjs", chunkFileNames: "[name]-[hash].mjs" },
  });
  return join(dir, name, `${name}.mjs`);
}
