import type { JsonObject } from "@touchmark/core";
import { LogError } from "@touchmark/log";
import type { Policy } from "@touchmark/verify";
import { type Command, type Context, defineCommand, usageError } from "../command.ts";
import { EXIT, type Exit, explainFailure } from "../failure.ts";
import { touchmarkHome } from "../files/home.ts";
import { loadPolicy } from "../files/policy-file.ts";
import { leaveOutbox, readOutbox, setAside } from "../log/outbox.ts";
import { describeQuorum, entryLines, loggedJson, send, settle, submitFile } from "../log/submit-file.ts";
import { count } from "../ui.ts";

export const submit: Command = defineCommand({
  name: "submit",
  usage: "FILE.touchmark [--wait 30] | --flush",
  examples: ["touchmark submit widget-1.0.0.tgz.touchmark", "touchmark submit --flush"],
  about: [
    "Hands a statement to the policy's log, and ends when a signed checkpoint covers it, cosigned by the log's witnesses.",
    "The same statement again gets the same answer, so that it can always be repeated.",
    "While the log is away it is tried again; then the statement is kept in the outbox (exit code 3), and --flush sends what waits there.",
  ],
  flags: {
    wait: {
      value: "SECONDS",
      help: "how long to try again while the log is away; 30 when left out, 0 for a single try",
    },
    flush: { help: "send what waits in the outbox" },
  },
  operands: [0, 1],
  run: async (values, [file], context) => {
    const wait = readSeconds(values.wait ?? "30");
    if (values.flush) {
      if (file !== undefined) throw usageError("submit", "--flush sends the outbox and takes no file.");
      return flush(loadPolicy(context), wait, context);
    }
    if (file === undefined) throw usageError("submit", "touchmark submit needs FILE.touchmark, or --flush.");
    const { exit, document, lines } = await submitFile(file, loadPolicy(context), wait, context);
    context.ui.result(document, lines);
    return exit;
  },
});

/** Sends what waits for the policy's log. What the log is away for waits on; what it refuses is set aside. */
async function flush(policy: Policy, wait: number, context: Context): Promise<Exit> {
  const { io, ui } = context;
  const home = touchmarkHome(io);
  const outbox = readOutbox(home, policy.log.origin);
  const done: JsonObject[] = [];
  const lines: string[] = [];
  const exits = new Set<Exit>();
  let patience = wait;
  for (const waiting of outbox) {
    const { file } = waiting;
    try {
      const logged = await send(waiting, policy, patience, context);
      leaveOutbox(home, waiting);
      done.push({ file, ok: true, ...loggedJson(logged, policy) });
      lines.push(`Logged ${file}${describeQuorum(logged.quorum)}.`, ...entryLines(logged.answer));
      exits.add(settle(logged.quorum, context));
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      const { exit: failed, code, message, hint } = explainFailure(error);
      const away = failed !== EXIT.rejected;
      // Where the log is away for one it is away for all.
      if (away) patience = 0;
      const kept = away ? null : setAside(home, waiting);
      done.push({ file, ok: false, waits: away, kept, error: { code, message, hint } });
      lines.push(away ? `Waits: ${file}.` : `Refused: ${file}; kept as ${kept}.`, `  ${message} [${code}]`);
      exits.add(away ? EXIT.unchecked : EXIT.rejected);
    }
  }
  const exit = [EXIT.rejected, EXIT.unchecked].find((code) => exits.has(code)) ?? EXIT.ok;
  const left = done.filter((one) => one["waits"] === true).length;
  ui.result(
    { ok: exit === EXIT.ok, statements: done },
    outbox.length === 0
      ? ["Nothing waits in the outbox."]
      : [...lines, `${count(left, "statement")} left in the outbox.`],
  );
  return exit;
}

function readSeconds(text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw usageError("submit", "--wait is not a number of seconds.");
}
