import { spawn } from "node:child_process";

export interface Outcome {
  exit: number | null;
  text: string;
}

/** Runs a program of somebody else's while this process goes on serving; both its streams as they came. */
export function runProgram(program: string, args: string[]): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    const add = (piece: Buffer): void => {
      text += piece.toString("utf8");
    };
    child.stdout.on("data", add);
    child.stderr.on("data", add);
    child.once("error", reject);
    child.once("close", (exit) => resolve({ exit, text }));
  });
}
