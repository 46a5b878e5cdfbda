import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { runServer } from "verdaccio";
import { cleanNpmEnv } from "./npm-env.ts";

const run = promisify(execFile);

/** A real registry on loopback, empty at its start, with no other registry behind it. Anybody may publish. */
export interface Verdaccio {
  url: string;
  /** Where it keeps its files, for tests that play a registry that changes them. */
  storage: string;
  close(): Promise<void>;
}

export interface TestPackage {
  name: string;
  version: string;
  /** Path to content; package.json is made from the other fields. */
  files?: Readonly<Record<string, string>>;
  /** Further fields of package.json. */
  manifest?: Readonly<Record<string, unknown>>;
  tag?: string;
}

export async function startVerdaccio(): Promise<Verdaccio> {
  const root = mkdtempSync(join(tmpdir(), "touchmark-verdaccio-"));
  const storage = join(root, "storage");
  mkdirSync(storage);
  const config = {
    storage,
    self_path: join(root, "config.yaml"),
    configPath: join(root, "config.yaml"),
    web: { enable: false },
    uplinks: {},
    packages: { "**": { access: "$all", publish: "$anonymous", unpublish: "$anonymous" } },
    log: { type: "stdout", format: "pretty", level: "fatal" },
  };
  const server = (await runServer(config)) as Server;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    storage,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** Publishes with the real npm. */
export async function publishPackage(registry: string, published: TestPackage): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "touchmark-publish-"));
  try {
    const { name, version, manifest } = published;
    write(directory, "package.json", JSON.stringify({ name, version, ...manifest }));
    for (const [path, content] of Object.entries(published.files ?? {})) write(directory, path, content);
    const { host } = new URL(registry);
    write(directory, ".npmrc", `registry=${registry}\n//${host}/:_authToken=anybody\n`);
    await run("npm", ["publish", "--ignore-scripts", "--tag", published.tag ?? "latest"], {
      cwd: directory,
      env: cleanNpmEnv(directory),
    });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function write(directory: string, path: string, content: string): void {
  const target = join(directory, path);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, content);
}
