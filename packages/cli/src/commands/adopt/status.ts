import { encodeHex, type JsonObject, parsePackageId, windowEnd } from "@touchmark/core";
import { askLog, type ViewedEntry } from "../../authority/log-view.ts";
import { describeWaiting } from "../../authority/describe-authority.ts";
import { waitingIn, waitingJson } from "../../authority/pending.ts";
import { NEW_NAME_FLAG, pointers, readNewName } from "../../authority/successor-name.ts";
import { type Command, defineCommand } from "../../command.ts";
import { describeClock } from "../../evidence/describe-clock.ts";
import { loadPolicy } from "../../files/policy-file.ts";
import { readSubjectId } from "../../statements/subject-ids.ts";

export const adoptStatus: Command = defineCommand({
  name: "adopt status",
  usage: "PACKAGE [--new-name NAME@RANGE]",
  examples: ["touchmark adopt status left-pad"],
  about: [
    "Whether an adoption waits, until when and who could end it; if none does, from when on one may be proposed, and what became of the last one.",
    "--new-name prints what points from the old name to a new one, for npm, pnpm and yarn.",
  ],
  flags: { registry: { value: "NAME", help: "the registry, where the policy names several" }, ...NEW_NAME_FLAG },
  operands: [1, 1],
  run: async (values, [typed = ""], context) => {
    const { ui } = context;
    const policy = loadPolicy(context);
    const id = readSubjectId(typed, policy, values.registry);
    const target = values["new-name"] === undefined ? null : readNewName(values["new-name"], "adopt status");
    const view = await askLog({ [id]: [] }, policy, context);
    const state = view.state(id);
    const [waiting] = waitingIn(state, null);
    const entries = view.entries(id);
    const ended = waiting === undefined ? lastAdoption(entries, view.lastIndex(id)) : null;
    const mode = state.lines[0]?.authority.adoption ?? null;
    const last = entries.at(-1)?.entry.time ?? null;
    const dormantFrom = last === null ? null : windowEnd("dormancy", last);
    const shown = target === null ? null : pointers(parsePackageId(id).name, target);
    ui.result(
      {
        ok: true,
        subject: id,
        mode,
        epoch: state.epoch,
        adoption: waiting === undefined ? null : waitingJson(waiting),
        ended,
        dormantFrom,
        pointers: shown?.document ?? null,
      },
      [
        id,
        ...(mode === null ? ["  nobody has claimed it"] : [`  mode      ${mode}`, `  epoch     ${state.epoch}`]),
        ...(waiting === undefined ? [] : [`  waiting   ${describeWaiting(waiting, view.time)}`]),
        ...(ended === null
          ? []
          : [`  the last  entry ${ended.entry}: ${ended.how}${ended.by === null ? "" : `, entry ${ended.by}`}`]),
        ...(waiting === undefined && dormantFrom !== null && mode !== "never"
          ? [`  dormant   not before ${describeClock(dormantFrom, view.time)}; a release that is newer moves that on`]
          : []),
        ...(shown?.lines ?? []),
      ],
    );
    return 0;
  },
});

interface Ended extends JsonObject {
  entry: number;
  how: string;
  by: number | null;
}

/** What became of the last adoption that was proposed; `last` is the index of the package's last entry of any kind. */
function lastAdoption(entries: readonly ViewedEntry[], last: number | null): Ended | null {
  const at = entries.findLastIndex(({ signed }) => signed.statement.kind === "adopt");
  const proposed = entries[at];
  if (proposed === undefined) return null;
  const next = entries[at + 1];
  const { index } = proposed.entry;
  if (proposed.state.adoption === null) return { entry: index, how: "void here", by: null };
  // What is no authority entry is a release [S-40].
  if (next === undefined) {
    return last !== null && last > index
      ? { entry: index, how: "ended by a release, which is a sign of life", by: last }
      : { entry: index, how: "lapsed: nobody finished it in time", by: null };
  }
  const { kind } = next.signed.statement;
  const vetoed =
    next.signed.statement.kind === "veto" &&
    [...next.signed.statement.entries.values()].some(
      (reference) => encodeHex(reference) === encodeHex(proposed.state.adoption!.place.leafHash),
    );
  const how = kind === "adopt-final" ? "finished" : vetoed ? "vetoed" : "ended by a sign of life";
  return { entry: index, how, by: next.entry.index };
}
