import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { RolldownMagicString } from "rolldown";
import { parseSync, Visitor } from "rolldown/utils";
import { writeSignedTree } from "../bench/support/signed-tree.ts";

/**
 * V8 reads a function twice, once to find its end and once more when it is called, unless it stands in parentheses: then it is compiled at once, and is part of
 * what Node keeps of the file. So the functions of `file` that `program` calls while it verifies a small signed tree are put in parentheses, and only those.
 */
export function compileAtOnce(file: string, program: string): void {
  const code = readFileSync(file, "utf8");
  const called = calledFunctions(file, program);
  const edited = new RolldownMagicString(code);
  const { program: tree, errors } = parseSync(file, code);
  if (errors.length > 0) throw new Error(`${file} can't be parsed: ${errors[0]!.message}`);
  const isCalled = ({ start, end }: Range): boolean => called.has(`${start}-${end}`);
  for (const node of tree.body) {
    if (node.type !== "FunctionDeclaration" || !isCalled(node)) continue;
    // A declaration counts from the first line on, wherever it stands.
    edited.prependRight(node.start, `var ${node.id!.name}=(`).appendLeft(node.end, ");").move(node.start, node.end, 0);
  }
  const enclose = (node: Range): void => {
    if (isCalled(node)) edited.prependRight(node.start, "(").appendLeft(node.end, ")");
  };
  new Visitor({
    ArrowFunctionExpression: enclose,
    FunctionExpression: (node) => {
      if (!METHOD.test(code.slice(node.start, node.end))) enclose(node);
    },
  }).visit(tree);
  writeFileSync(file, edited.toString());
}

type Range = { start: number; end: number };

// A method's function begins at its parameters.
const METHOD = /^\(/;

/** Where the functions of `file` lie that are called in a verification, as `start-end`. */
function calledFunctions(file: string, program: string): Set<string> {
  const folder = mkdtempSync(join(tmpdir(), "touchmark-called-"));
  try {
    writeSignedTree(folder, { packages: 3, packagesPerTeam: 10 });
    const reports = join(folder, "called");
    const env = { ...process.env, TOUCHMARK_HOME: join(folder, "home"), NODE_DISABLE_COMPILE_CACHE: "1" };
    execFileSync(process.execPath, [program, "verify"], { cwd: folder, env: { ...env, NODE_V8_COVERAGE: reports } });
    const scripts = readdirSync(reports).flatMap(
      (name) => (JSON.parse(readFileSync(join(reports, name), "utf8")) as { result: CalledScript[] }).result,
    );
    const script = scripts.find(({ url }) => url === pathToFileURL(file).href);
    if (!script) throw new Error(`touchmark verify did not load ${file}`);
    return new Set(
      script.functions
        .map(({ ranges: [whole] }) => whole)
        .filter(({ count }) => count > 0)
        .map(({ startOffset, endOffset }) => `${startOffset}-${endOffset}`),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface CalledScript {
  url: string;
  /** Of each function the first range is the whole of it. */
  functions: { ranges: [{ startOffset: number; endOffset: number; count: number }] }[];
}
