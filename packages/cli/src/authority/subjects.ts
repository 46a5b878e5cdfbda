import { type Line, lineInForce, type PackageState, parseSubjectId } from "@touchmark/core";
import { CliError } from "../error.ts";
import type { LogView } from "./log-view.ts";

/** What several packages have in common, so that one statement can be about all of them. */
export interface CommonAuthority {
  line: Line;
  /** Subject id → the entry that the next one follows. */
  packages: Map<string, { previous: Uint8Array }>;
}

/** The authority of subjects that all have the same one. Throws `NOT_THERE`, `USAGE`. */
export function requireOneAuthority(ids: readonly string[], view: LogView): CommonAuthority {
  const lines = ids.map((id) => requireLine(id, view.state(id)));
  const line = lines[0]!;
  const other = lines.findIndex(({ authority }) => authority.digest !== line.authority.digest);
  if (other >= 0)
    throw new CliError(
      "USAGE",
      `${ids[0]} and ${ids[other]} have different authorities.`,
      "One statement gives all its packages the same one: change them one by one.",
    );
  return { line, packages: followed(ids, view) };
}

/** The line that speaks for a subject: the one in force, or the only claim. Throws `NOT_THERE`. */
export function requireLine(id: string, state: PackageState): Line {
  const line = lineInForce(state) ?? (state.lines.length === 1 ? state.lines[0]! : null);
  if (line) return line;
  if (state.lines.length === 0)
    throw new CliError("NOT_THERE", `Nobody has claimed ${id}.`, "Claim it: touchmark claim");
  throw new CliError(
    "NOT_THERE",
    `There are ${state.lines.length} claims of ${id}, and none is in force.`,
    "touchmark status shows them.",
  );
}

/** Subject id → the last authority entry of each [S-17]. Throws `NOT_THERE` for what nobody has claimed. */
export function followed(ids: readonly string[], view: LogView): Map<string, { previous: Uint8Array }> {
  return new Map(
    ids.map((id) => {
      const { last } = view.state(id);
      if (last === null) throw new CliError("NOT_THERE", `Nobody has claimed ${id}.`, "Claim it: touchmark claim");
      return [id, { previous: last.leafHash }];
    }),
  );
}

/** The beginning of a file's name: `acme-widget`, `acme-widget-and-2`. */
export function fileNameFor(ids: readonly string[]): string {
  const first = parseSubjectId(ids[0]!);
  const name = (first.kind === "package" ? first.name : ids[0]!).replace("@", "").replaceAll(/[/:]/g, "-");
  return ids.length === 1 ? name : `${name}-and-${ids.length - 1}`;
}
