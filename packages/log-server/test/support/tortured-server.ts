/**
 * A log server in a process of its own, to be killed. Arguments: the storage's addresses as JSON, the time, a file that gets every text that is signed,
 * before its signature is used, and perhaps a step as JSON at which it kills itself; another one may come as a message. The port goes to standard output.
 */
import { appendFileSync } from "node:fs";
import type { NoteSigner } from "@touchmark/log";
import { openStorage, openStore, type StorageAddresses, startLogServer } from "../../src/index.ts";
import { killedSigner, killedStorage, killer, type Step } from "./kill-step.ts";
import { signer } from "./log.ts";

const [addresses, time, signed, first] = process.argv.slice(2) as [string, string, string, string | undefined];
const deadly = killer();
if (first !== undefined) deadly.arm(JSON.parse(first) as Step);
process.on("disconnect", () => process.exit()); // its test is gone
process.on("message", (step) => deadly.arm(step as Step));
const noting: NoteSigner = {
  key: signer.key,
  sign: (text) => {
    appendFileSync(signed, `${JSON.stringify(text)}\n`);
    return signer.sign(text);
  },
};
const storage = await openStorage(JSON.parse(addresses) as StorageAddresses, false, { takeover: 50 });
const store = await openStore(killedStorage(storage, deadly), killedSigner(noting, deadly));
const server = await startLogServer({
  store,
  clock: () => Number(time),
  tick: 500,
  heartbeat: 0,
  onEvent: (event) => {
    if (event.event === "request" && event.path === "/submit") deadly.at("answer", "after");
  },
});
process.stdout.write(`${server.port}\n`);
