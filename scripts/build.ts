import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";

// Builds every package's dist from nothing: a source that was deleted must not live on in what is published.
export const PACKAGES: string[] = ["core", "log", "log-server", "fido", "verify", "cli"];
export const ROOT: string = join(import.meta.dirname, "..");

export function build(): void {
  for (const name of PACKAGES) rmSync(join(ROOT, "packages", name, "dist"), { recursive: true, force: true });
  const references = PACKAGES.map((name) => join(ROOT, "packages", name));
  const run = spawnSync("tsc", ["-b", ...references], { cwd: ROOT, stdio: "inherit" });
  if (run.status !== 0) process.exit(run.status ?? 1);
}

if (import.meta.main) build();
