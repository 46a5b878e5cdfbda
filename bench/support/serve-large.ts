import { openFolder, openStore, startLogServer } from "@touchmark/log-server";
import { LARGE_SIGNER } from "./large-log.ts";

// Opens and serves the log in the folder that is its argument. A line of JSON says how long the opening took; each line on standard input is answered with
// the memory that the process has.
const begun = performance.now();
const store = await openStore(await openFolder(process.argv[2]!), LARGE_SIGNER);
const server = await startLogServer({ store, clock: () => 1_800_000_000 });
console.log(JSON.stringify({ ms: performance.now() - begun, port: server.port }));
process.stdin.on("data", () => console.log(JSON.stringify({ rss: process.memoryUsage.rss() })));
process.stdin.on("end", () => void server.close());
