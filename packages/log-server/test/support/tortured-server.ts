/**
 * A log server in a process of its own, to be killed. Arguments: the storage's addresses as JSON, the time, and a file that gets every text that is signed,
 * before its signature is used. The port goes to standard output.
 */
import { appendFileSync } from "node:fs";
import type { NoteSigner } from "@touchmark/log";
import { openStorage, openStore, type StorageAddresses, startLogServer } from "../../src/index.ts";
import { signer } from "./log.ts";

const [addresses, time, signed] = process.argv.slice(2) as [string, string, string];
const noting: NoteSigner = {
  key: signer.key,
  sign: (text) => {
    appendFileSync(signed, `${JSON.stringify(text)}\n`);
    return signer.sign(text);
  },
};
const storage = await openStorage(JSON.parse(addresses) as StorageAddresses, false, { takeover: 200 });
const store = await openStore(storage, noting);
const server = await startLogServer({ store, clock: () => Number(time), tick: 500, heartbeat: 0 });
process.stdout.write(`${server.port}\n`);
