import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type Command, defineCommand, usageError } from "../command.ts";
import { writeWhole } from "../files/write-file.ts";
import { count } from "../ui.ts";

export const keyPage: Command = defineCommand({
  name: "key page",
  usage: "--out DIR",
  examples: ["touchmark key page --out public/sign"],
  about: [
    "Writes the page on which browsers sign, as static files for a team's own domain. Keys made there belong to that domain,",
    "and no page of any other can ask for them. Serve the files over HTTPS at an address of their own, with the header",
    "Content-Security-Policy: frame-ancestors 'none', and name it with --device browser:https://HOST/PATH/.",
  ],
  flags: { out: { value: "DIR", help: "the folder; files of the same names in it are replaced" } },
  operands: [0, 0],
  run: async ({ out }, _operands, { io, ui }) => {
    if (out === undefined) throw usageError("key page", "--out is missing.");
    const { readPageFiles } = await import("@touchmark/fido/browser");
    const directory = resolve(io.cwd, out);
    await mkdir(directory, { recursive: true });
    const files = readPageFiles();
    for (const [name, { body }] of files) await writeWhole(join(directory, name), body);
    ui.result({ ok: true, directory: out, files: [...files.keys()] }, [
      `Wrote the page to ${out}: ${count(files.size, "file")}.`,
      "  serve it over HTTPS, then: touchmark key enroll --holder LABEL --device browser:https://HOST/PATH/",
    ]);
    return 0;
  },
});
