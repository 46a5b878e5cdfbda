import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Outcome, runProgram } from "./program.ts";

const PLACES = ["go", "/usr/lib/go-1.19/bin/go"];
/** Where Debian's golang-golang-x-mod-dev puts its sources. */
const SOURCES = "/usr/share/gocode";

/** What is missing of Go and its checksum database's sources; undefined if a checker can be built. */
export function missingGo(): string | undefined {
  if (!existsSync(join(SOURCES, "src/golang.org/x/mod/sumdb/tlog"))) return "golang-golang-x-mod-dev is not installed";
  return findGo() === undefined ? "Go is not installed" : undefined;
}

/** Builds `test/interop/sumdb.go` into a folder, without any network; gives a function that runs it. */
export function buildSumdb(folder: string): (...args: string[]) => Promise<Outcome> {
  const program = join(folder, "sumdb");
  const env = {
    PATH: process.env["PATH"],
    HOME: folder,
    GO111MODULE: "off",
    GOFLAGS: "",
    GOPATH: SOURCES,
    GOCACHE: join(folder, "go-cache"),
  };
  const source = join(import.meta.dirname, "../interop/sumdb.go");
  const built = spawnSync(findGo()!, ["build", "-o", program, source], { env, cwd: folder, encoding: "utf8" });
  if (built.status !== 0) throw new Error(`sumdb.go cannot be built: ${built.stderr}`);
  return (...args) => runProgram(program, args);
}

function findGo(): string | undefined {
  return PLACES.find((go) => spawnSync(go, ["version"]).status === 0);
}
