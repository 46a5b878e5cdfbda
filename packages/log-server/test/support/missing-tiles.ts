import { connect } from "node:net";

/** Requests of one call of {@link askForMissingTiles}. */
export const MISSING_AT_ONCE = 500;
const ANSWER = "HTTP/1.1 404";
// Milliseconds without any answer.
const PATIENCE = 60_000;
const REQUESTS = Array.from(
  { length: MISSING_AT_ONCE },
  (_, i) => `GET /tile/0/x${100 + (i % 800)}/999 HTTP/1.1\r\nhost: x\r\n\r\n`,
).join("");

/** Asks 500 times in one go for tiles that don't exist, and waits until all are answered by 404. */
export async function askForMissingTiles(port: number): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  let [text, seen] = ["", 0];
  await new Promise<void>((resolve, reject) => {
    socket.setTimeout(PATIENCE, () => socket.destroy(new Error("no answer")));
    socket.once("error", reject);
    socket.once("close", () => reject(new Error(`only ${seen} answers came`)));
    socket.on("data", (data) => {
      const pieces = (text + String(data)).split(ANSWER);
      seen += pieces.length - 1;
      text = pieces.at(-1)!.slice(1 - ANSWER.length); // an answer's first line may come in two pieces
      if (seen === MISSING_AT_ONCE) resolve();
    });
    socket.write(REQUESTS);
  });
  socket.destroy();
}
