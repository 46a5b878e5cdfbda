import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

/** OpenSSH's security key in software, from Debian's package openssh-tests. */
export const DUMMY_PROVIDER = "/usr/lib/openssh/regress/misc/sk-dummy/sk-dummy.so";

/** Why the scripts with OpenSSH's own keys can't be run here; null if they can. */
export function missingForOpenssh(): string | null {
  if (spawnSync("ssh-keygen", ["-?"]).error !== undefined) return "there is no ssh-keygen";
  return existsSync(DUMMY_PROVIDER) ? null : "Debian's package openssh-tests is not installed";
}

/** Makes FILE and FILE.pub. */
export function makeSshKey(file: string, type: string, application: string): void {
  const args = ["-q", "-t", type, "-w", DUMMY_PROVIDER, "-O", `application=${application}`, "-N", "", "-C", "a key"];
  const { status, stderr } = spawnSync("ssh-keygen", [...args, "-f", file], { encoding: "utf8" });
  if (status !== 0) throw new Error(`ssh-keygen failed: ${stderr}`);
}
