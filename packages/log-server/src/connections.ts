/** Who may stay connected when there are too many: whoever waits for an answer, before whoever only holds a connection open. */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
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

/** Waits until what the same connection asked before is answered and gone out: whoever asks much at once gets it one by one [L-34]. */
export type Turns = (request: IncomingMessage, response: ServerResponse) => Promise<void> | undefined;

export function takeTurns(): Turns {
  const last = new WeakMap<Socket, Promise<void>>();
  return ({ socket }, response) => {
    const before = last.get(socket);
    last.set(socket, new Promise((resolve) => response.once("close", resolve)));
    return before;
  };
}

/** Counts the bytes of an answer until it has gone out. */
export type Unsent = (request: IncomingMessage, response: ServerResponse, bytes: number) => void;

/** When answers of more than `limit` bytes wait for those who asked to take them, the connection is ended that takes its own for the longest time [L-34]. */
export function limitUnsent(limit: number): Unsent {
  const waiting = new Map<ServerResponse, { readonly socket: Socket; readonly bytes: number }>();
  let all = 0;
  const drop = (response: ServerResponse): void => {
    all -= waiting.get(response)?.bytes ?? 0;
    waiting.delete(response);
  };
  return ({ socket }, response, bytes) => {
    waiting.set(response, { socket, bytes });
    all += bytes;
    response.once("close", () => drop(response));
    for (const [oldest, { socket: slow }] of waiting) {
      if (all <= limit || oldest === response) break;
      drop(oldest);
      slow.destroy();
    }
  };
}
