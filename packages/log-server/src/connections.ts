/** Who may stay connected when there are too many: whoever waits for an answer, before whoever only holds a connection open. */
import type { Server } from "node:http";
import type { Socket } from "node:net";

export type Connections = { readonly count: () => number };

/** When a connection comes that is one too many, that which has had no request under way for the longest time is ended [L-34]. */
export function limitConnections(server: Server, limit: number): Connections {
  const all = new Set<Socket>();
  const idle = new Set<Socket>();
  server.on("connection", (socket) => {
    all.add(socket);
    idle.add(socket);
    socket.once("close", () => {
      all.delete(socket);
      idle.delete(socket);
    });
    if (all.size <= limit) return;
    for (const oldest of idle.size > 1 ? idle : all) {
      oldest.destroy();
      break;
    }
  });
  server.on("request", ({ socket }, response) => {
    idle.delete(socket);
    response.once("close", () => {
      if (all.has(socket)) idle.add(socket);
    });
  });
  return { count: () => all.size };
}
