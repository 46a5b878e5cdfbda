/** Runs in a thread of its own: checks what comes in a message, and answers with a byte for each check, 1 for a signature that verifies. */
import { parentPort } from "node:worker_threads";
import { nodeCrypto } from "@touchmark/log";
import { type CheckMessage, decodeChecks, type SignatureCheck } from "./check-message.ts";

parentPort!.on("message", (message: CheckMessage) => {
  const answers = Uint8Array.from(decodeChecks(message), (check) => (isGood(check) ? 1 : 0));
  parentPort!.postMessage(answers, [answers.buffer]);
});

function isGood({ algorithm, key, message, signature }: SignatureCheck): boolean {
  return algorithm === "p256"
    ? nodeCrypto.verifyP256(key, message, signature)
    : nodeCrypto.verifyEd25519(key, message, signature);
}
