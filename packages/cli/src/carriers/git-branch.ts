// A statement in a branch that holds nothing else. Git's plumbing alone: neither the work tree nor the index is touched.
import { spawn } from "node:child_process";
import { MAX_ENVELOPE_BYTES } from "@touchmark/core";
import type { Context } from "../command.ts";
import { CliError } from "../error.ts";
import { mergeEnvelopes } from "./merge-envelopes.ts";

export interface BranchPlace {
  remote: string;
  branch: string;
  /** The file's name in the branch. */
  name: string;
}

const TRIES = 5;
const MAX_OUTPUT = 16 * 1024 * 1024;

/** The file as it is in the branch now; null if branch or file isn't there. Throws `GIT_FAILED`. */
export async function readFromBranch(place: BranchPlace, context: Context): Promise<Uint8Array | null> {
  const head = await fetchHead(place, context);
  return head === null ? null : readAt(head, place.name, context);
}

/** Puts the file into the branch; signatures by concerned keys that others have put there meanwhile are kept. Throws `GIT_FAILED`. */
export async function writeToBranch(
  place: BranchPlace,
  bytes: Uint8Array,
  concerned: () => Promise<ReadonlySet<string>>,
  context: Context,
): Promise<void> {
  for (let tries = 1; ; tries++) {
    const head = await fetchHead(place, context);
    const there = head === null ? null : await readAt(head, place.name, context);
    const merged = there === null ? bytes : mergeEnvelopes(bytes, there, await concerned());
    const blob = (await git(["hash-object", "-w", "--stdin"], context, merged)).trim();
    const others = head === null ? [] : await entriesOf(head, place.name, context);
    const tree = (await git(["mktree"], context, [...others, `100644 blob ${blob}\t${place.name}\n`].join(""))).trim();
    const parent = head === null ? [] : ["-p", head];
    const commit = (await git(["commit-tree", tree, ...parent, "-m", `touchmark: ${place.name}`], context)).trim();
    try {
      await git(["push", "--quiet", place.remote, `${commit}:refs/heads/${place.branch}`], context);
      return;
    } catch (error) {
      // Somebody else was quicker: theirs is taken in, and it is tried again.
      if (tries === TRIES || (await fetchHead(place, context)) === head) throw error;
    }
  }
}

async function fetchHead({ remote, branch }: BranchPlace, context: Context): Promise<string | null> {
  const ref = `refs/heads/${branch}`;
  // It lists every ref that ends so: refs/heads/x/refs/heads/main for refs/heads/main.
  const listed = (await git(["ls-remote", remote, ref], context)).split("\n").find((line) => line.endsWith(`\t${ref}`));
  const [, head] = /^([0-9a-f]{40,64})\t/.exec(listed ?? "") ?? [];
  if (head === undefined) return null;
  await git(["fetch", "--quiet", "--no-tags", remote, `refs/heads/${branch}`], context);
  return head;
}

async function readAt(head: string, name: string, context: Context): Promise<Uint8Array | null> {
  const [entry] = (await git(["ls-tree", "-l", head, "--", name], context)).split("\n");
  const [, blob, size] = /^100644 blob ([0-9a-f]{40,64})\s+(\d+)\t/.exec(entry ?? "") ?? [];
  if (blob === undefined || Number(size) > MAX_ENVELOPE_BYTES) return null;
  return Buffer.from(await git(["cat-file", "blob", blob], context), "utf8");
}

async function entriesOf(head: string, name: string, context: Context): Promise<string[]> {
  const lines = (await git(["ls-tree", head], context)).split("\n").filter((line) => line !== "");
  return lines.filter((line) => line.split("\t")[1] !== name).map((line) => `${line}\n`);
}

function git(args: readonly string[], { io }: Context, input?: Uint8Array | string): Promise<string> {
  const env = {
    GIT_AUTHOR_NAME: "touchmark",
    GIT_AUTHOR_EMAIL: "touchmark@localhost",
    GIT_COMMITTER_NAME: "touchmark",
    GIT_COMMITTER_EMAIL: "touchmark@localhost",
    ...io.env,
    GIT_TERMINAL_PROMPT: "0",
  };
  return new Promise((done, fail) => {
    const child = spawn("git", [...args], { cwd: io.cwd, env, stdio: "pipe", signal: io.signal });
    let [out, said] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      if (out.length < MAX_OUTPUT) out += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      if (said.length < 4000) said += text;
    });
    child.on("error", (cause) => {
      fail(
        new CliError("GIT_FAILED", "git could not be started.", "Install git, or carry the file another way.", cause),
      );
    });
    child.on("close", (code) => {
      if (code === 0) done(out);
      else
        fail(
          new CliError(
            "GIT_FAILED",
            `git ${args[0]} failed: ${said.trim().split("\n").at(-1) ?? ""}`,
            "Look at it with git itself, in this folder.",
          ),
        );
    });
    child.stdin.on("error", () => undefined);
    child.stdin.end(input ?? "");
  });
}
