import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { PackedPackage } from "./tarball.ts";

/** A registry on loopback that serves what was put into it. */
export interface Registry {
  url: string;
  /** `time` in seconds; `weak` gives no sha512, as registries did long ago. */
  publish(packed: PackedPackage, time: number, weak?: boolean): void;
  /** Whatever the registry says from now on for a path. */
  answer(path: string, status: number, body: string): void;
  close(): Promise<void>;
}

interface Sent {
  name: string;
  versions: Record<string, { dist: { integrity: string; shasum: string } }>;
  _attachments: Record<string, { data: string }>;
}

/** `clock` says when what is put there was published, in seconds. */
export async function startRegistry(clock: () => number = () => 0): Promise<Registry> {
  const packages = new Map<string, { packed: PackedPackage; time: number; weak: boolean }[]>();
  const answers = new Map<string, { status: number; body: string }>();
  const server = createServer((request, response) => {
    const path = decodeURIComponent((request.url ?? "").slice(1));
    const fixed = answers.get(path);
    const tarball = [...packages.values()].flat().find(({ packed }) => path === pathOf(packed));
    if (request.method === "PUT") void takeIn(request, response);
    else if (fixed) response.writeHead(fixed.status).end(fixed.body);
    else if (tarball) response.end(tarball.packed.tarball);
    else if (packages.has(path))
      response.setHeader("content-type", "application/json").end(JSON.stringify(packument(path)));
    else response.writeHead(404).end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;

  const packument = (name: string): object => {
    const published = packages.get(name)!;
    const versions = published.map(({ packed: { version, integrity, shasum, ...packed }, weak }) => [
      version,
      {
        name,
        version,
        dist: {
          tarball: `${url}${pathOf({ ...packed, version, integrity, shasum })}`,
          shasum,
          ...(weak ? {} : { integrity }),
        },
      },
    ]);
    const time = published.map((one) => [one.packed.version, new Date(one.time * 1000).toISOString()]);
    return {
      name,
      time: Object.fromEntries(time),
      "dist-tags": { latest: published.at(-1)!.packed.version },
      versions: Object.fromEntries(versions),
    };
  };

  // What `npm publish` sends.
  const takeIn = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const parts: Buffer[] = [];
    for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
    const sent = JSON.parse(Buffer.concat(parts).toString("utf8")) as Sent;
    const [version = ""] = Object.keys(sent.versions);
    const [attachment] = Object.values(sent["_attachments"]);
    const tarball = Buffer.from(attachment?.data ?? "", "base64");
    const { integrity, shasum } = sent.versions[version]!.dist;
    const packed = { name: sent.name, version, tarball, integrity, shasum };
    packages.set(sent.name, [...(packages.get(sent.name) ?? []), { packed, time: clock(), weak: false }]);
    response.setHeader("content-type", "application/json").end("{}");
  };

  return {
    url,
    publish: (packed, time, weak = false) => {
      packages.set(packed.name, [...(packages.get(packed.name) ?? []), { packed, time, weak }]);
    },
    answer: (path, status, body) => {
      answers.set(path, { status, body });
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function pathOf({ name, version }: PackedPackage): string {
  return `${name}/-/${name.slice(name.indexOf("/") + 1)}-${version}.tgz`;
}
