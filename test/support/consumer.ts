import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { LogEndpointText } from "./log.ts";
import { type Outcome, type Place, runTouchmark } from "./touchmark.ts";

/** A project of somebody who installs. */
export interface Consumer extends Place {
  /** Runs `touchmark …` in the project. */
  touchmark(command: string, more?: Partial<Place>): Promise<Outcome>;
  /** Where a file of the project is. */
  path(file: string): string;
  write(file: string, content: string | object): void;
  /** Undefined if it isn't there. */
  read(file: string): string | undefined;
  has(file: string): boolean;
  remove(file: string): void;
  policy(): { packages: object };
  /** Changes the policy. */
  setPolicy(more: object): void;
  lockfile(): LockfileText;
  /** Changes package-lock.json as somebody with an editor would. */
  editLockfile(edit: (packages: LockfileText["packages"], lockfile: LockfileText) => void): void;
  /** Full paths of the files below a folder of the Touchmark home. */
  filesAtHome(folder: string): string[];
  /** Files in the project that hold `text`, node_modules included. */
  filesWith(text: string): string[];
}

export interface ConsumerWish {
  /** The policy's `packages`. */
  packages?: object;
  /** Further keys of the policy. */
  policy?: object;
  /** Further fields of package.json. */
  manifest?: object;
}

export interface LockfileText {
  lockfileVersion: number;
  packages: Record<string, Record<string, unknown>>;
}

export function createConsumer(
  root: string,
  { registry, log }: { registry: string; log: LogEndpointText },
  { packages = {}, policy = {}, manifest = {} }: ConsumerWish = {},
): Consumer {
  const directory = join(root, "project");
  const place: Place = {
    directory,
    home: join(root, "home"),
    env: { npm_config_registry: registry, npm_config_loglevel: "warn" },
  };
  const path = (file: string): string => join(directory, file);
  const read = (file: string): string | undefined =>
    existsSync(path(file)) ? readFileSync(path(file), "utf8") : undefined;
  const write: Consumer["write"] = (file, content) => {
    mkdirSync(dirname(path(file)), { recursive: true });
    writeFileSync(path(file), typeof content === "string" ? content : `${JSON.stringify(content, null, 2)}\n`);
  };
  const setPolicy: Consumer["setPolicy"] = (more) => {
    write("touchmark.json", { version: 1, registries: { npmjs: [registry] }, log, packages, ...policy, ...more });
  };
  const lockfile = (): LockfileText => JSON.parse(readFileSync(path("package-lock.json"), "utf8")) as LockfileText;
  setPolicy({});
  write("package.json", { name: "tavern", version: "1.0.0", private: true, ...manifest });
  return {
    ...place,
    touchmark: (command, more) =>
      runTouchmark(command.split(" "), { ...place, ...more, env: { ...place.env, ...more?.env } }),
    path,
    write,
    read,
    has: (file) => existsSync(path(file)),
    remove: (file) => rmSync(path(file), { recursive: true }),
    policy: () => JSON.parse(readFileSync(path("touchmark.json"), "utf8")) as { packages: object },
    setPolicy,
    lockfile,
    editLockfile(edit) {
      const document = lockfile();
      edit(document.packages, document);
      write("package-lock.json", document);
    },
    filesAtHome: (folder) => {
      const full = join(place.home, folder);
      return existsSync(full) ? filesIn(full).map((file) => join(full, file)) : [];
    },
    filesWith: (text) => filesIn(directory).filter((file) => readFileSync(join(directory, file)).includes(text)),
  };
}

function filesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .toSorted();
}
