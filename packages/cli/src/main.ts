#!/usr/bin/env node
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 12)) {
  process.stderr.write(`error: Touchmark needs Node 22.12 or later; this is ${process.version}. [NODE_TOO_OLD]\n`);
  process.exitCode = 2;
} else {
  // What V8 made of these files at an earlier start is kept beside them: whoever can write there could write the program itself.
  process.getBuiltinModule("node:module").enableCompileCache(`${import.meta.dirname}/../.compile-cache`);
  const { main } = await import("./terminal.ts");
  await main();
}
