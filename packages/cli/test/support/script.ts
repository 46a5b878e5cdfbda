// Text scripts: commands, what they print, and the files that they need.
//
//     # a remark
//     $ touchmark key list
//     > a line of standard output
//     ! a line of standard error
//     exit 4
//     -- a-file.json --
//     {"its": "content"}
//
// In an expected line `[..]` stands for any text; a line that is `[...]` alone stands for any number of lines. `${NAME}` is a variable of the
// stage, in commands, expectations and files alike.

export interface Step {
  /** Number of its line, from 1. */
  line: number;
  command: string;
  stdout: string[];
  stderr: string[];
  exit: number;
}

export interface Script {
  steps: Step[];
  files: Map<string, string>;
}

/** Reads a script. Throws if a line is neither a command, nor an expectation, nor a remark. */
export function parseScript(text: string): Script {
  const [head = "", ...sections] = text.split(/^(?=-- .+ --$)/m);
  const files = new Map(
    sections.map((section) => {
      const end = section.indexOf("\n");
      return [section.slice(3, end - 3), section.slice(end + 1)] as const;
    }),
  );
  const steps: Step[] = [];
  for (const [i, line] of head.split("\n").entries()) {
    const step = steps.at(-1);
    if (line.startsWith("$ ")) steps.push({ line: i + 1, command: line.slice(2), stdout: [], stderr: [], exit: 0 });
    else if (line.trim() === "" || line.startsWith("#")) continue;
    else if (step && /^>(?: |$)/.test(line)) step.stdout.push(line.slice(2));
    else if (step && /^!(?: |$)/.test(line)) step.stderr.push(line.slice(2));
    else if (step && /^exit \d$/.test(line)) step.exit = Number(line.slice(5));
    else throw new Error(`line ${i + 1} is not understood: ${line}`);
  }
  return { steps, files };
}

/** Splits a command line into words; single and double quotes keep what is between them together. */
export function splitWords(command: string): string[] {
  return [...command.matchAll(/(?:[^\s"']+|"[^"]*"|'[^']*')+/g)].map(([word]) =>
    word.replaceAll(/"([^"]*)"|'([^']*)'/g, "$1$2"),
  );
}

/** Whether printed text is what was expected. */
export function matches(printed: string, expected: readonly string[]): boolean {
  const pattern = expected.map((line) => (line === "[...]" ? "(?:[^\\n]*\\n)*?" : `${linePattern(line)}\\n`)).join("");
  return new RegExp(`^${pattern}$`).test(printed);
}

function linePattern(line: string): string {
  return line
    .split("[..]")
    .map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&"))
    .join("[^\\n]*");
}
