import type { Authority } from "../authority.ts";
import { type Statement, statementChains } from "../statement.ts";
import { type PackageState, recoveryKeys } from "./state.ts";

// Whoever carries a statement from signer to signer lets nobody hang foreign signatures on it: one of them would refuse the envelope [S-4]. This is
// no judgement: what a signature counts for the rules say.

/** The subjects whose people may sign a statement: those of its chains, and committees that it or an authority there names. `state` gives what is known of a subject. */
export function concernedSubjects(
  statement: Statement,
  state: (subjectId: string) => PackageState | undefined,
): readonly string[] {
  const chains = statementChains(statement);
  const named = statement.kind === "adopt" ? statement.committees : [];
  const standIns =
    statement.kind === "release"
      ? chains.flatMap((id) => state(id)?.lines ?? []).flatMap(({ authority: { expedite } }) => expedite ?? [])
      : [];
  return [...new Set([...chains, ...named, ...standIns])];
}

/** The fingerprints of all keys by which a statement may be signed, now or once what waits has taken effect. */
export function concernedKeys(
  statement: Statement,
  state: (subjectId: string) => PackageState | undefined,
): ReadonlySet<string> {
  const stated = "authority" in statement ? [statement.authority] : [];
  const known = concernedSubjects(statement, state).flatMap((id) => authoritiesOf(state(id)));
  return new Set([...stated, ...known].flatMap(keysOf));
}

function authoritiesOf(state: PackageState | undefined): Authority[] {
  if (state === undefined) return [];
  const candidate = state.adoption === null ? [] : [state.adoption.authority];
  const held = state.lines.flatMap(({ authority, change, recovery }) => [
    authority,
    ...[change, recovery].flatMap((pending) => pending?.authority ?? []),
  ]);
  return [...held, ...candidate];
}

function keysOf(authority: Authority): string[] {
  return [...authority.keys, ...recoveryKeys(authority)].map(({ fingerprint }) => fingerprint);
}
