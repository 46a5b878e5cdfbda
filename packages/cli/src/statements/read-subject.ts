import { encodePackageId, isPackageName, isVersion, parsePackageId } from "@touchmark/core";
import { usageError } from "../command.ts";
import type { Subject } from "../evidence/explain-release.ts";

/** Reads `NAME`, `NAME@VERSION` or the same with a full package id. Throws `USAGE` and what `registry` throws. */
export function readSubject(typed: string, command: string, registry: () => string): Subject {
  const at = typed.lastIndexOf("@");
  const whole = at > 0 ? typed.slice(0, at) : typed;
  const version = at > 0 ? typed.slice(at + 1) : null;
  if (version !== null && !isVersion(version))
    throw usageError(command, "What stands after @ is not a version.", "Write it in full, as in 1.0.0.");
  if (whole.startsWith("npm:")) return { packageId: whole, name: parsePackageId(whole).name, version };
  if (!isPackageName(whole)) throw usageError(command, "This is not a package's name.", "Write NAME or NAME@VERSION.");
  return { packageId: encodePackageId({ registry: registry(), name: whole }), name: whole, version };
}
