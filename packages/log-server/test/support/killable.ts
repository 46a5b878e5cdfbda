import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { bundleScript } from "./bundle.ts";
import { temporaryFolder } from "./log.ts";

/** A server of this folder in a process of its own, which has told its port. */
export type Killable = { readonly port: number; readonly kill: () => Promise<void> };

const children = new Set<ChildProcess>();
const bundles = temporaryFolder();
const bundled = new Map<string, Promise<string>>();

/** Starts a script of this folder. Rejects if it ends before it has told its port. */
export async function startKillable(script: string, ...args: string[]): Promise<Killable> {
  const path = bundled.get(script) ?? bundleScript(script, bundles.dir);
  bundled.set(script, path);
  const child = spawn(process.execPath, [await path, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  children.add(child);
  const ended = once(child, "exit").then(() => children.delete(child));
  const died = ended.then(() => Promise.reject(new Error(`${script} did not start.`)));
  died.catch(() => undefined); // later it is killed on purpose
  const [line] = (await Promise.race([once(child.stdout, "data"), died])) as [Buffer];
  return {
    port: Number(line.toString()),
    kill: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** Ends what is still there. Nothing can be started afterwards. */
export function killAll(): void {
  for (const child of children) child.kill("SIGKILL");
  bundles.remove();
}
