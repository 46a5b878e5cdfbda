import type { Server } from "node:http";
import type { AddressInfo } from "node:net";

// Connections that the system keeps until they are taken: what comes beyond that is tried again after a second, whoever it is.
const BACKLOG = 4096;

/** Starts to listen; the port. Rejects with the system's error if it cannot be had. */
export function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, host, backlog: BACKLOG }, () => {
      server.off("error", reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}
