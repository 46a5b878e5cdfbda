/** A witness in a process of its own, to be killed: folder and name as arguments, the port on standard output. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createWitness, createWitnessStore, openWitnessStore, startWitnessServer } from "../../src/index.ts";
import { signer, START } from "./log.ts";
import { witnessKeys } from "./witness.ts";

const [dir, name] = [process.argv[2]!, process.argv[3]!];
const store = existsSync(join(dir, "witness.sqlite")) ? openWitnessStore(dir) : createWitnessStore(dir);
const witness = createWitness({ store, cosigners: witnessKeys(name), logs: [signer.key], clock: () => START });
const server = await startWitnessServer({ witness });
process.stdout.write(`${server.port}\n`);
