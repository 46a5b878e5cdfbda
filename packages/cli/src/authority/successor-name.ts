// The log says who speaks for a package; the name in the registry is not the log's to give. Who adopts a package without its name publishes
// under another one, and each consumer decides whether to point to it.
import { isPackageName, type JsonObject } from "@touchmark/core";
import { usageError } from "../command.ts";

export const NEW_NAME_FLAG = {
  "new-name": { value: "NAME@RANGE", help: "the name under which it is published from now on, and the versions" },
} as const;

/** A package's new name and the range of versions that stands for the old ones. */
export interface NewName {
  name: string;
  range: string;
}

const RANGE = /^[\^~]?\d[0-9A-Za-z.+-]{0,62}$/;

/** `NAME@RANGE` as typed. Throws `USAGE`. */
export function readNewName(typed: string, command: string): NewName {
  const at = typed.lastIndexOf("@");
  const name = typed.slice(0, at);
  const range = typed.slice(at + 1);
  if (at > 0 && isPackageName(name) && RANGE.test(range)) return { name, range };
  throw usageError(command, "--new-name is not NAME@RANGE.", "As in @care/left-pad@^1.3.1.");
}

/** What points from the old name to the new one, for each client. */
export function pointers(oldName: string, { name, range }: NewName): { document: JsonObject; lines: string[] } {
  const target = `npm:${name}@${range}`;
  const overrides = { overrides: { [oldName]: target } };
  const resolutions = { resolutions: { [oldName]: target } };
  return {
    document: { npm: overrides, pnpm: overrides, yarn: resolutions },
    lines: [
      "npm, in package.json:",
      `  ${JSON.stringify(overrides)}`,
      "pnpm, in pnpm-workspace.yaml:",
      "  overrides:",
      `    ${JSON.stringify(oldName)}: ${JSON.stringify(target)}`,
      "yarn, in package.json:",
      `  ${JSON.stringify(resolutions)}`,
    ],
  };
}
