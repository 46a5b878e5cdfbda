import type { Server } from "node:http";
import type { AddressInfo } from "node:net";

/** Starts to listen; the port. Rejects with the system's error if it cannot be had. */
export function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}
