/**
 * A witness in a process of its own, to be killed: folder and name as arguments, and perhaps `before` or `after`: it kills itself then, when it is about to
 * keep a checkpoint or has kept it. The port goes to standard output.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  createWitness,
  createWitnessStore,
  openWitnessStore,
  startWitnessServer,
  type WitnessStore,
} from "../../src/index.ts";
import { signer, START } from "./log.ts";
import { witnessKeys } from "./witness.ts";

const [dir, name, deadly] = process.argv.slice(2) as [string, string, string | undefined];
const store = existsSync(join(dir, "witness.sqlite")) ? openWitnessStore(dir) : createWitnessStore(dir);
const killed: WitnessStore = {
  ...store,
  keep: (origin, checkpoint) => {
    if (deadly === "before") process.kill(process.pid, "SIGKILL");
    store.keep(origin, checkpoint);
    if (deadly === "after") process.kill(process.pid, "SIGKILL");
  },
};
const witness = createWitness({ store: killed, cosigners: witnessKeys(name), logs: [signer.key], clock: () => START });
const server = await startWitnessServer({ witness });
process.stdout.write(`${server.port}\n`);
