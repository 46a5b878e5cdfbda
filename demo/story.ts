import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Stage, StoryError, type WitnessedLog as Log } from "./stage.ts";

// The main job from end to end, through the real command line, the real npm and a real registry. The security keys are
// in software here, but speak the packets of real ones, so that nothing on the signers' side can tell.

const ORIGIN = "log.example/demo";
const PROOF_OF_CRIME = "pwned.txt";

export async function tellStory(stage: Stage): Promise<void> {
  const log = await openTheWorkshop(stage);
  await enrolKeys(stage);
  const authority = await claimThePackage(stage, log);
  await releaseTheFirstVersion(stage);
  await installAsAConsumer(stage, log, authority);
  await stealTheAccount(stage, log, authority);
  await refuseForgeries(stage, log, authority);
  await verifyOffline(stage);
}

async function openTheWorkshop(stage: Stage): Promise<Log> {
  stage.chapter("1. A registry, a log, and three people who make the package pewter");
  const log = await stage.startLog(ORIGIN);
  stage.tell(`the log ${ORIGIN} is up, and so is a registry with nothing in it`);
  stage.tell(
    "a witness sees to it that the log has one history, an auditor replays all of it by the rules: both must cosign",
  );
  for (const who of ["alice", "bob", "carol"]) writePolicy(stage, who, log, {});
  return log;
}

async function enrolKeys(stage: Stage): Promise<void> {
  stage.chapter("2. Everybody enrols a security key: one touch each");
  for (const who of ["alice", "bob", "carol"]) {
    await stage.run(who, `touchmark key enroll --holder ${who} --device soft:${who}.device`, {
      exit: 0,
      says: [who, "SHA256:"],
    });
    await stage.run(who, `touchmark key export --holder ${who} --out ../alice/${who}.card`, { exit: 0 });
  }
  await stage.run("alice", "touchmark key enroll --holder alice --device soft:backup.device", { exit: 0 });
  await stage.run("alice", "touchmark key export --holder alice --out alice.card", { exit: 0 });
  stage.tell("alice has a backup key as well; it is a second key, not a second vote");
}

async function claimThePackage(stage: Stage, log: Log): Promise<string> {
  stage.chapter("3. They claim pewter: any two of the three must sign a release");
  const cards = "--key alice.card --key bob.card --key carol.card";
  const claimed = await stage.run(
    "alice",
    `touchmark claim pewter ${cards} --threshold 2 --no-earlier --out claim.touchmark --json`,
    { exit: 0 },
  );
  const { authority } = JSON.parse(claimed.stdout) as { authority: string };
  // The claim lists two keys of alice's, and every key that it lists signs it.
  await stage.run("alice", "touchmark sign claim.touchmark --yes", { exit: 0 });
  await stage.run("alice", "touchmark sign claim.touchmark --yes --device soft:backup.device", { exit: 0 });
  await stage.run("bob", "touchmark sign ../alice/claim.touchmark --yes", { exit: 0 });
  await stage.run("carol", "touchmark sign ../alice/claim.touchmark --yes", { exit: 0 });
  await stage.run("alice", "touchmark submit claim.touchmark", { exit: 0 });
  writePolicy(stage, "alice", log, { pewter: { authority } });
  stage.tell("the claim is in the log; who wants to rely on it puts its digest into touchmark.json");
  return authority;
}

async function releaseTheFirstVersion(stage: Stage): Promise<void> {
  stage.chapter("4. pewter 1.0.0: packed once, signed by two, logged, published");
  pack(stage, "alice", "1.0.0");
  await stage.run("alice", "npm pack --silent ./pewter-1.0.0", { exit: 0, says: ["pewter-1.0.0.tgz"] });
  await stage.run("alice", "touchmark sign pewter-1.0.0.tgz --yes", { exit: 0, says: ["alice"] });
  await stage.run("alice", "touchmark submit pewter-1.0.0.tgz.touchmark", { exit: 1, says: ["THRESHOLD", "1 of 2"] });
  stage.tell("one of two is not enough, and the log says so");
  await stage.run("bob", "touchmark sign ../alice/pewter-1.0.0.tgz --yes", { exit: 0, says: ["bob"] });
  await stage.run("alice", "touchmark submit pewter-1.0.0.tgz.touchmark", { exit: 0 });
  await publish(stage, "alice", "pewter-1.0.0.tgz");
  stage.tell("the signature file lies beside the tarball; pewter 1.0.0 is published");
}

async function installAsAConsumer(stage: Stage, log: Log, authority: string): Promise<void> {
  stage.chapter("5. A consumer installs it");
  writePolicy(stage, "dora", log, { pewter: { level: "strict", authority } });
  stage.write("dora", "package.json", { name: "tavern", version: "1.0.0", private: true });
  await stage.run("dora", "touchmark npm install pewter@^1.0.0", { exit: 0, says: [/pewter@1\.0\.0.*alice, bob/] });
  await stage.run("dora", "touchmark npm ci", { exit: 0, says: [/pewter@1\.0\.0.*alice, bob/] });
  expectFile(stage, "dora", "node_modules/pewter/index.js", true);
  stage.tell("accepted, and it says who signed");
}

async function stealTheAccount(stage: Stage, log: Log, authority: string): Promise<void> {
  stage.chapter("6. A thief with the registry account publishes 1.0.1, with a preinstall script");
  const script = `node -e "require('fs').writeFileSync(require('path').join(process.env.INIT_CWD,'${PROOF_OF_CRIME}'),'')"`;
  pack(stage, "thief", "1.0.1", { scripts: { preinstall: script } });
  await stage.run("thief", "npm pack --silent ./pewter-1.0.1", { exit: 0 });
  await publish(stage, "thief", "pewter-1.0.1.tgz");
  writePolicy(stage, "erik", log, { pewter: { level: "strict", authority } });
  stage.write("erik", "package.json", { name: "inn", version: "1.0.0", private: true });
  await stage.run("erik", "touchmark npm install pewter@^1.0.0", { exit: 0, says: [/pewter@1\.0\.0.*alice, bob/] });
  stage.tell("the range resolves to 1.0.0, the newest version that is signed");
  await stage.run("erik", "touchmark npm install pewter@1.0.1", {
    exit: 1,
    says: ["npm error", "NOT_SIGNED", "Not signed yet"],
  });
  expectFile(stage, "erik", PROOF_OF_CRIME, false);
  stage.tell("asked for by name it is refused, in npm's own output too; the script never ran");
}

async function refuseForgeries(stage: Stage, log: Log, authority: string): Promise<void> {
  stage.chapter("7. What else is refused, each for its own reason");
  await signWithTwoKeysOfOneHolder(stage);
  await moveASignature(stage);
  await swapTheBytes(stage, log, authority);
  await editTheLockfile(stage);
  await breakAProof(stage);
}

async function signWithTwoKeysOfOneHolder(stage: Stage): Promise<void> {
  pack(stage, "alice", "1.0.2");
  await stage.run("alice", "npm pack --silent ./pewter-1.0.2", { exit: 0 });
  await stage.run("alice", "touchmark sign pewter-1.0.2.tgz --yes", { exit: 0 });
  await stage.run("alice", "touchmark sign pewter-1.0.2.tgz --yes --device soft:backup.device", { exit: 0 });
  await stage.run("alice", "touchmark verify pewter-1.0.2.tgz --online", {
    exit: 1,
    says: ["THRESHOLD", "1 of 2", "one vote"],
  });
  await stage.run("alice", "touchmark submit pewter-1.0.2.tgz.touchmark", { exit: 1, says: ["THRESHOLD", "one vote"] });
  stage.tell("two keys of one holder are one vote");
}

async function moveASignature(stage: Stage): Promise<void> {
  pack(stage, "alice", "1.0.0", {}, "pewter-lid");
  await stage.run("alice", "npm pack --silent ./pewter-lid-1.0.0", { exit: 0 });
  const folder = stage.folder("alice");
  writeFileSync(
    join(folder, "pewter-lid-1.0.0.tgz.touchmark"),
    readFileSync(join(folder, "pewter-1.0.0.tgz.touchmark")),
  );
  await stage.run("alice", "touchmark verify pewter-lid-1.0.0.tgz --online", { exit: 1, says: ["pewter-lid@1.0.0"] });
  stage.tell("a signature made for another package is worth nothing");
}

async function swapTheBytes(stage: Stage, log: Log, authority: string): Promise<void> {
  const storage = join(stage.registry.storage, "pewter");
  const [tarball, manifest] = [join(storage, "pewter-1.0.0.tgz"), join(storage, "package.json")];
  const honest = { tarball: readFileSync(tarball), manifest: readFileSync(manifest, "utf8") };
  const document = JSON.parse(honest.manifest) as { versions: Record<string, { dist: object }> };
  document.versions["1.0.0"]!.dist = {
    ...document.versions["1.0.1"]!.dist,
    tarball: `${stage.registry.url}pewter/-/pewter-1.0.0.tgz`,
  };
  writeFileSync(manifest, JSON.stringify(document));
  writeFileSync(tarball, readFileSync(join(storage, "pewter-1.0.1.tgz")));
  writePolicy(stage, "frida", log, { pewter: { level: "strict", authority } });
  stage.write("frida", "package.json", { name: "alehouse", version: "1.0.0", private: true });
  await stage.run("frida", "touchmark npm install pewter@1.0.0", { exit: 1, says: ["WRONG_DIGEST"] });
  expectFile(stage, "frida", PROOF_OF_CRIME, false);
  writeFileSync(manifest, honest.manifest);
  writeFileSync(tarball, honest.tarball);
  stage.tell("other bytes under the signed version: refused by their digest");
}

async function editTheLockfile(stage: Stage): Promise<void> {
  const lockfile = join(stage.folder("dora"), "package-lock.json");
  const honest = readFileSync(lockfile, "utf8");
  const document = JSON.parse(honest) as { packages: Record<string, { resolved?: string; integrity?: string }> };
  const entry = document.packages["node_modules/pewter"]!;
  entry.resolved = "http://evil.example/pewter-1.0.0.tgz";
  entry.integrity = `sha512-${Buffer.alloc(64, 1).toString("base64")}`;
  writeFileSync(lockfile, JSON.stringify(document, null, 2));
  await stage.run("dora", "touchmark npm ci", { exit: 1, says: ["SOURCE_REFUSED", "evil.example"] });
  writeFileSync(lockfile, honest);
  stage.tell("a lockfile entry with an address and an integrity of its own, which npm audit signatures would pass");
}

async function breakAProof(stage: Stage): Promise<void> {
  const companion = join(stage.folder("dora"), "touchmark.lock");
  const honest = readFileSync(companion, "utf8");
  const broken = honest.replace(
    /("mapProof": ?")(.)/,
    (_, head: string, first: string) => head + (first === "A" ? "B" : "A"),
  );
  if (broken === honest) throw new StoryError("There was no proof to break.");
  writeFileSync(companion, broken);
  await stage.run("dora", "touchmark verify", { exit: 3, says: ["PROOF_BAD"] });
  writeFileSync(companion, honest);
  stage.tell("a log proof that doesn't verify: could not check, which is not the same as accepted");
}

async function verifyOffline(stage: Stage): Promise<void> {
  stage.chapter("8. CI checks the lockfile without any network");
  const { seconds } = await stage.run("dora", "touchmark verify --all", {
    exit: 0,
    says: [/pewter@1\.0\.0.*alice, bob/],
  });
  if (seconds > 5) throw new StoryError(`It took ${seconds.toFixed(1)} seconds.`);
  stage.tell(`accepted in ${(seconds * 1000).toFixed(0)} ms, start of the program included`);
}

function writePolicy(stage: Stage, who: string, log: Log, packages: Record<string, object>): void {
  stage.write(who, "touchmark.json", {
    version: 1,
    registries: { npmjs: [stage.registry.url] },
    log: { url: log.url, origin: ORIGIN, key: log.key, quorum: log.quorum },
    packages: { "*": { level: "ratchet" }, ...packages },
  });
}

function pack(stage: Stage, who: string, version: string, more: object = {}, name = "pewter"): void {
  stage.write(who, `${name}-${version}/package.json`, { name, version, main: "index.js", ...more });
  stage.write(who, `${name}-${version}/index.js`, `module.exports = ${JSON.stringify(`${name} ${version}`)};\n`);
}

async function publish(stage: Stage, who: string, tarball: string): Promise<void> {
  stage.write(who, ".npmrc", `//${new URL(stage.registry.url).host}/:_authToken=anybody\n`);
  await stage.run(who, `npm publish --silent ${tarball}`, { exit: 0 });
}

function expectFile(stage: Stage, who: string, file: string, there: boolean): void {
  if (existsSync(join(stage.folder(who), file)) !== there) {
    throw new StoryError(`${who}'s ${file} ${there ? "is missing" : "exists, and it must not"}.`);
  }
}
