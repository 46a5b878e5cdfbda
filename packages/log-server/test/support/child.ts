/** A log server in a process of its own, to be killed: folder, time and perhaps a file with a policy of witnesses as arguments, the port on standard output. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseTlogPolicy } from "@touchmark/log";
import { createCosigning, createStore, openFolder, openStore, startLogServer } from "../../src/index.ts";
import { signer } from "./log.ts";

const [dir, time] = [process.argv[2]!, Number(process.argv[3])];
const store = existsSync(join(dir, "log.sqlite"))
  ? await openStore(await openFolder(dir), signer)
  : await createStore(await openFolder(dir, true), signer, time);
const policy = process.argv[4];
const cosigning = policy === undefined ? undefined : cosigningBy(policy);
const server = await startLogServer({ store, clock: () => time, ...(cosigning && { cosigning }) });
process.stdout.write(`${server.port}\n`);

function cosigningBy(file: string): ReturnType<typeof createCosigning> {
  const published = store.checkpoint().size;
  return createCosigning({ policy: parseTlogPolicy(readFileSync(file)), published, clock: () => time });
}
