import { encodeUtf8 } from "../bytes.ts";
import { require } from "../errors.ts";
import { readArray, readObject, readString, requireSorted } from "../fields.ts";
import { encodeCanonicalJson, isObject, type Json, type JsonObject, parseCanonicalJson } from "../json.ts";
import { isLogOrigin } from "../package-id.ts";

const STATEMENT_TYPE = "https://in-toto.io/Statement/v1";
/** Of a payload [C-15]: 500 subjects fit, however long their names and versions are. */
export const MAX_STATEMENT_BYTES: number = 1024 * 1024;
const MAX_SUBJECTS = 500; // [C-15]
const MAX_LOGS = 8; // [S-8]

/** The form that every kind of statement shares [S-6] to [S-8]. */
export interface StatementParts {
  subject: Json[];
  predicateType: string;
  logs: string[];
  predicate: Json;
}

/** Reads the common form of a payload. Throws `MALFORMED`, `TOO_LARGE`. */
export function parseStatementForm(payload: Uint8Array): StatementParts {
  const value = parseCanonicalJson(payload, { bytes: MAX_STATEMENT_BYTES, depth: 8 });
  const fields = readObject(value, "S-6", "statement", ["_type", "subject", "predicateType", "predicate"]);
  require(fields["_type"] === STATEMENT_TYPE, "S-6", "This is not an in-toto Statement v1.");
  const predicate = fields["predicate"]!;
  require(isObject(predicate), "S-6", "The predicate is not an object.");
  const logs = readArray(predicate["logs"], "S-8", "list of logs", MAX_LOGS).map((origin) =>
    readString(origin, "S-8", "log origin", isLogOrigin),
  );
  require(logs.length > 0, "S-8", "The statement names no log.");
  requireSorted(logs, "S-8", "log origins");
  return {
    subject: readArray(fields["subject"], "S-7", "list of subjects", MAX_SUBJECTS),
    predicateType: readString(fields["predicateType"], "S-10", "predicate type", () => true),
    logs,
    predicate,
  };
}

/** The canonical payload of a statement [S-6]. The logs are sorted here; the caller validates by parsing the result. */
export function encodeStatement(subject: Json[], kind: string, logs: string[], members: JsonObject): Uint8Array {
  const predicate = { logs: logs.toSorted(), ...members };
  return encodeUtf8(
    encodeCanonicalJson({ _type: STATEMENT_TYPE, subject, predicateType: predicateType(kind), predicate }),
  );
}

/** The type of the predicate of a kind of statement [S-10]. */
export function predicateType(kind: string): string {
  return `urn:touchmark:${kind}:v1`;
}

/** Reads each subject's name and digest with `read`, and checks their order [S-7]. */
export function readSubjects<T>(subject: Json[], read: (name: string, digest: Json) => T): T[] {
  require(subject.length > 0, "S-7", "The statement has no subject.");
  const names: string[] = [];
  const subjects = subject.map((item) => {
    const fields = readObject(item, "S-7", "subject", ["name", "digest"]);
    const name = readString(fields["name"], "S-7", "subject's name", () => true);
    names.push(name);
    return read(name, fields["digest"]!);
  });
  requireSorted(names, "S-7", "subjects");
  return subjects;
}
