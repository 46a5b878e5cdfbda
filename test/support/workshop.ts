import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createConsumer, type Consumer, type ConsumerWish } from "./consumer.ts";
import { openLog, type OpenLog } from "./log.ts";
import { type Packed, packRelease, type PackWish, putRelease, tarballFile } from "./packed.ts";
import { type Outcome, type Place, runTouchmark } from "./touchmark.ts";

// The honest part of every attack: a registry, a log, and three people who claim packages and release them, all by the
// real command line. Their keys are in software and speak the packets of real ones.

export interface Workshop {
  readonly root: string;
  /** The registry's address; `storage` is where it keeps its files. */
  readonly registry: { readonly url: string; readonly storage: string };
  readonly log: OpenLog;
  /** Alice, Bob and Carol in one folder, with one Touchmark home. */
  readonly makers: Place;
  /** Runs a command of theirs; throws if it fails. */
  make(command: string): Promise<Outcome>;
  /** Claims packages: two of the three must sign. Returns the authority's digest. */
  claim(...names: string[]): Promise<string>;
  /** Packs, signs by two, logs and publishes. */
  release(wish: PackWish): Promise<Packed>;
  /** Publishes as whoever has the registry account: nobody signs. */
  publish(wish: PackWish, tag?: string): Promise<Packed>;
  /** What a thief would publish: bytes that `consumer.filesWith(EVIL)` finds, and scripts that leave a trace. */
  evil(name: string, version: string, manifest?: object): PackWish;
  /** Whether a script of a thief's has run. */
  crimeCommitted(): boolean;
  /** Writes a release's tarball into the makers' folder; its name. */
  putOnDesk(packed: Packed): string;
  /** A project in a folder of its own, with a policy and a Touchmark home of its own. */
  consumer(wish?: ConsumerWish): Consumer;
  close(): Promise<void>;
}

export const EVIL = "these bytes are a thief's";
const ORIGIN = "log.example/attacked";
const HOLDERS = ["alice", "bob", "carol"];

/** `registry: "none"` saves the start of a registry where nothing is installed. */
export async function openWorkshop({ registry: kind }: { registry: "verdaccio" | "none" }): Promise<Workshop> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-attacks-")));
  const [registry, log] = await Promise.all([openRegistry(kind), openLog(join(root, "log"), ORIGIN)]);
  const makers: Place = { directory: join(root, "makers"), home: join(root, "makers-home") };
  mkdirSync(makers.directory);
  const policy = { version: 1, registries: { npmjs: [registry.url] }, log: log.endpoint };
  writeFileSync(join(makers.directory, "touchmark.json"), JSON.stringify(policy));
  const crime = join(root, "crime");
  let consumers = 0;

  const make: Workshop["make"] = async (command) => {
    const outcome = await runTouchmark(command.split(" "), makers);
    if (outcome.exit !== 0) throw new Error(`touchmark ${command} ended with ${outcome.exit}: ${outcome.text}`);
    return outcome;
  };
  const putOnDesk: Workshop["putOnDesk"] = (packed) => {
    const file = tarballFile(packed);
    writeFileSync(join(makers.directory, file), packed.tarball);
    return file;
  };
  for (const holder of HOLDERS) {
    await make(`key enroll --holder ${holder} --device soft:${holder}.device`);
    await make(`key export --holder ${holder} --out ${holder}.card`);
  }
  return {
    root,
    registry,
    log,
    makers,
    make,
    putOnDesk,
    claim: async (...names) => {
      const file = `${names[0]!.replaceAll(/[@/]/g, "-")}.claim.touchmark`;
      const cards = HOLDERS.map((holder) => `--key ${holder}.card`).join(" ");
      await make(`claim ${names.join(" ")} ${cards} --threshold 2 --no-earlier --out ${file}`);
      for (const holder of HOLDERS) await make(`sign ${file} --holder ${holder} --yes`);
      const { stdout } = await make(`submit ${file} --json`);
      return (JSON.parse(stdout) as { authority: string }).authority;
    },
    release: async (wish) => {
      const packed = packRelease(wish);
      const file = putOnDesk(packed);
      for (const holder of ["alice", "bob"]) await make(`sign ${file} --holder ${holder} --yes`);
      await make(`submit ${file}.touchmark`);
      if (kind !== "none") await putRelease(registry.url, packed);
      return packed;
    },
    publish: async (wish, tag) => {
      const packed = packRelease(wish);
      await putRelease(registry.url, packed, tag);
      return packed;
    },
    evil: (name, version, manifest = {}) => {
      const script = `node -e "require('fs').appendFileSync('${crime}','${name}')"`;
      const scripts = { preinstall: script, install: script, postinstall: script, prepare: script };
      return { name, version, manifest: { ...manifest, scripts }, files: { "index.js": `// ${EVIL}\n` } };
    },
    crimeCommitted: () => existsSync(crime),
    consumer: (wish) => {
      const place = join(root, `consumer-${++consumers}`);
      return createConsumer(place, { registry: registry.url, log: log.endpoint }, wish);
    },
    close: async () => {
      await Promise.all([registry.close(), log.close()]);
      rmSync(root, { recursive: true, force: true });
    },
  };
}

async function openRegistry(kind: "verdaccio" | "none"): Promise<Workshop["registry"] & { close(): Promise<void> }> {
  if (kind === "none") return { url: "https://registry.example/", storage: "", close: async () => undefined };
  return (await import("./verdaccio.ts")).startVerdaccio();
}
