import { spawn } from "node:child_process";

/** Opens an address in the person's browser, if there is one. Whether that worked nobody can tell: print the address too. */
export function openUrl(url: string): Promise<void> {
  const [program, args] = openerFor(process.platform, url);
  const { promise, resolve } = Promise.withResolvers<void>();
  const child = spawn(program, args, { stdio: "ignore", detached: true });
  child.once("spawn", resolve).once("error", () => resolve());
  child.unref();
  return promise;
}

/** The platform's opener, without a shell: what an address holds is never read as a command. */
export function openerFor(platform: NodeJS.Platform, url: string): [program: string, args: string[]] {
  if (platform === "darwin") return ["open", [url]];
  if (platform === "win32") return ["rundll32", ["url.dll,FileProtocolHandler", url]];
  return ["xdg-open", [url]];
}
