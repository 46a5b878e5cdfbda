/**
 * An auditor in a process of its own, which cosigns as a witness does and kills itself at a step: folder, the log's address and the step as arguments, the port
 * on standard output. Steps, in their order: `replaying` (some of the envelopes are fetched), `replayed` (what was replayed is kept, nothing is cosigned),
 * `kept` (the witness's memory has it, nobody was answered), `none`.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { LogEndpoint } from "@touchmark/log";
import {
  auditJudge,
  createWitness,
  createWitnessStore,
  openAuditor,
  openWitnessStore,
  startWitnessServer,
  type WitnessStore,
} from "../../src/index.ts";
import { signer, START } from "./log.ts";
import { witnessKeys } from "./witness.ts";

const [dir, url, deadly] = process.argv.slice(2) as [string, string, string];
const dieAt = (step: string): void => {
  if (step === deadly) process.kill(process.pid, "SIGKILL");
};
let envelopes = 0;
const log: LogEndpoint = {
  url,
  key: signer.key,
  fetch: (address, init) => {
    if (address.includes("/envelope/") && ++envelopes === 3) dieAt("replaying");
    return fetch(address, init);
  },
};
const auditor = openAuditor({ dir: join(dir, "audit"), key: signer.key, clock: () => START });
const memory = join(dir, "witness");
const store = existsSync(join(memory, "witness.sqlite")) ? openWitnessStore(memory) : createWitnessStore(memory);
const killed: WitnessStore = {
  ...store,
  keep: (origin, checkpoint) => {
    store.keep(origin, checkpoint);
    dieAt("kept");
  },
};
const judge = auditJudge(auditor, log, () => dieAt("replayed"));
const cosigners = witnessKeys("audit.example");
const witness = createWitness({ store: killed, cosigners, logs: [signer.key], clock: () => START, judge });
const server = await startWitnessServer({ witness });
process.stdout.write(`${server.port}\n`);
