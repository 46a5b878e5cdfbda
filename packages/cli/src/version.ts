import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The version of this package. */
export function readVersion(): string {
  // The sources lie one folder below the manifest, what is built of them one or two.
  let at = import.meta.dirname;
  while (!existsSync(join(at, "package.json"))) at = dirname(at);
  return (JSON.parse(readFileSync(join(at, "package.json"), "utf8")) as { version: string }).version;
}
