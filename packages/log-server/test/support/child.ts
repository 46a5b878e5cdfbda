/** A log server in a process of its own, to be killed: folder and seed of the clock as arguments, the port on standard output. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createStore, openFolder, openStore, startLogServer } from "../../src/index.ts";
import { signer } from "./log.ts";

const [dir, time] = [process.argv[2]!, Number(process.argv[3])];
const store = existsSync(join(dir, "log.sqlite"))
  ? await openStore(await openFolder(dir), signer)
  : await createStore(await openFolder(dir, true), signer, time);
const server = await startLogServer({ store, clock: () => time });
process.stdout.write(`${server.port}\n`);
