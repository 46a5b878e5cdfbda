// What a script can do beside `touchmark …`.
import { execFile } from "node:child_process";
import { cpSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openDevices, setPin } from "@touchmark/fido";
import {
  createBatchAttestation,
  createSoftwareAuthenticator,
  neverTouch,
  refuseAfter,
  serveUdp,
  touchAfter,
} from "@touchmark/fido/testing";
import { installSession, parseLockfile, parsePolicy, registriesOf } from "@touchmark/verify";
import { DUMMY_PROVIDER, makeSshKey } from "./openssh.ts";
import type { Outcome, Stage } from "./stage.ts";
import { packPackage } from "./tarball.ts";

type Run = (words: string[], stage: Stage, last: Outcome) => Promise<Partial<Outcome> | void> | Partial<Outcome> | void;

/** Runs one command line of a script. */
export async function runCommand(words: string[], stage: Stage, last: Outcome): Promise<Outcome> {
  const [name = "", ...rest] = words;
  if (name === "touchmark") return stage.touchmark(rest);
  const command = COMMANDS[name];
  if (!command) throw new Error(`there is no script command "${name}"`);
  return { stdout: "", stderr: "", exit: 0, ...(await command(rest, stage, last)) };
}

const COMMANDS: Readonly<Record<string, Run>> = {
  // tarball NAME VERSION [CONTENT]: NAME-VERSION.tgz, a scope's slash as a dash
  tarball: ([name = "", version = "", content], { directory }) => {
    const { tarball } = packPackage(name, version, content);
    writeFileSync(join(directory, `${name.replace("@", "").replace("/", "-")}-${version}.tgz`), tarball);
  },
  // publish NAME VERSION [weak|AUTHORITY]: the package.json names the authority, if one is given
  publish: ([name = "", version = "", more], { registry, now }) => {
    const manifest = more?.startsWith("sha256:") ? { touchmark: { authority: more } } : {};
    registry?.publish(packPackage(name, version, undefined, manifest), now, more === "weak");
  },
  // registry-says PATH STATUS BODY
  "registry-says": ([path = "", status, body = ""], { registry }) => registry?.answer(path, Number(status), body),
  // lockfile NAME@VERSION…: a package-lock.json of packages that `publish` or `tarball` would make
  lockfile: (releases, { directory, variables }) => {
    const entries = releases.map((release, i) => {
      const at = release.lastIndexOf("@");
      const [name, version] = [release.slice(0, at), release.slice(at + 1)];
      const resolved = `${variables.get("REGISTRY") ?? "https://registry.example/"}${name}/-/${name.slice(name.indexOf("/") + 1)}-${version}.tgz`;
      const nested =
        releases.findIndex((other) => other.startsWith(`${name}@`)) === i ? "" : `node_modules/parent-${i}/`;
      return [`${nested}node_modules/${name}`, { version, resolved, integrity: packPackage(name, version).integrity }];
    });
    const packages = { "": { name: "app", version: "1.0.0" }, ...Object.fromEntries(entries) };
    writeFileSync(
      join(directory, "package-lock.json"),
      JSON.stringify({ name: "app", version: "1.0.0", lockfileVersion: 3, requires: true, packages }),
    );
  },
  // lock: touchmark.lock, as an install writes it
  lock: async (_words, stage) => {
    const policy = parsePolicy(readFileSync(join(stage.directory, "touchmark.json")), stage.now);
    const lockfile = parseLockfile(readFileSync(join(stage.directory, "package-lock.json")), registriesOf(policy));
    const session = installSession({
      policy,
      companion: null,
      log: { url: policy.log.url, key: policy.log.key, fetch },
      seen: [],
      now: () => stage.now,
      onCheckpoint: () => undefined,
      onFork: () => undefined,
    });
    const bytes = await session.companionFor(lockfile);
    if (!bytes) throw new Error("the log gave no evidence");
    writeFileSync(join(stage.directory, "touchmark.lock"), bytes);
  },
  // enrolled HOLDER…: a software key each, HOLDER.soft, and its card, HOLDER.card
  enrolled: async (holders, stage) => {
    for (const holder of holders) {
      const label = holder.replace(/-\d$/, "");
      await succeed(stage, `key enroll --holder ${label} --device soft:${holder}.soft`);
      const { stdout } = await succeed(stage, "key list --json");
      const { keys } = JSON.parse(stdout) as { keys: { fingerprint: string; device: string }[] };
      const { fingerprint } = keys.find(({ device }) => device.endsWith(`/${holder}.soft`))!;
      stage.variables.set(holder.toUpperCase().replace("-", "_"), fingerprint);
      await succeed(stage, `key export --key ${fingerprint} --out ${holder}.card`);
    }
  },
  // charter DIGEST: the log is started again, and its operator has named this authority for its own id
  charter: async ([digest = ""], stage) => stage.restartLog?.(digest),
  // claimed NAME: alice and bob have enrolled, claimed it with threshold 2, and the policy names their authority
  claimed: async ([name = ""], stage) => {
    const file = `${name.replaceAll(/[@/]/g, "")}.claim.touchmark`;
    for (const holder of ["alice", "bob"]) {
      if (existsSync(join(stage.directory, `${holder}.soft`))) continue;
      await succeed(stage, `key enroll --holder ${holder} --device soft:${holder}.soft`);
    }
    await succeed(stage, "key export --out team.card");
    await succeed(stage, `claim ${name} --key team.card --threshold 2 --no-earlier --out ${file}`);
    for (const holder of ["alice", "bob"]) await succeed(stage, `sign ${file} --holder ${holder} --yes`);
    const { stdout } = await succeed(stage, `submit ${file} --json`);
    const { authority } = JSON.parse(stdout) as { authority: string };
    stage.variables.set("AUTHORITY", authority);
    const path = join(stage.directory, "touchmark.json");
    const policy = JSON.parse(readFileSync(path, "utf8")) as { packages?: object };
    const packages = { ...policy.packages, [name]: { level: "strict", authority } };
    writeFileSync(path, JSON.stringify({ ...policy, packages }, null, 2));
  },
  // released NAME VERSION: its tarball, signed by both and logged
  released: async ([name = "", version = ""], stage) => {
    const file = `${name.replace("@", "").replace("/", "-")}-${version}.tgz`;
    writeFileSync(join(stage.directory, file), packPackage(name, version).tarball);
    for (const holder of ["alice", "bob"]) await succeed(stage, `sign ${file} --holder ${holder} --yes`);
    await succeed(stage, `submit ${file}.touchmark`);
  },
  // clock +N: days later; -N: earlier
  clock: ([days = ""], stage) => {
    stage.now += Number(days) * 86_400;
  },
  // terminal ANSWER…: there is one from now on, and this is what is typed
  terminal: (answers, stage) => {
    stage.answers = answers;
  },
  // cancel: from now on the person has given up
  cancel: (_words, stage) => {
    stage.signal = AbortSignal.abort();
  },
  env: ([pair = ""], { env }) => {
    const at = pair.indexOf("=");
    env[pair.slice(0, at)] = pair.slice(at + 1);
  },
  // set NAME [FIELD]: the last command's standard output, or a field of its JSON document
  set: ([name = "", field], { variables }, { stdout }) => {
    variables.set(
      name,
      field === undefined ? stdout.trimEnd() : String((JSON.parse(stdout) as Record<string, unknown>)[field]),
    );
  },
  // pipe N TEXT: what file descriptor N gives
  pipe: ([fd = "", text = ""], { variables }) => void variables.set(`FD${fd}`, text),
  // authenticator NAME: a key behind UDP; ${NAME} is where it is
  authenticator: async ([name = ""], { fingers, variables, cleanups }) => {
    const key = createSoftwareAuthenticator({ touchTimeout: 50, keepaliveEvery: 10 });
    const served = await serveUdp(key);
    variables.set(name, served.spec);
    fingers.set(name, (policy) => {
      key.setTouch(policy);
    });
    cleanups.push(() => served.close());
  },
  // ssh-key FILE TYPE [APPLICATION]: a key of OpenSSH's dummy provider, which is used from now on
  "ssh-key": ([file = "", type = "", application = "ssh:touchmark"], { directory, env }) => {
    env["SSH_SK_PROVIDER"] = DUMMY_PROVIDER;
    makeSshKey(join(directory, file), type, application);
  },
  // mode FILE: who may read it
  mode: ([file = ""], { directory }) => ({
    stdout: `${(statSync(join(directory, file)).mode & 0o777).toString(8)}\n`,
  }),
  // yubikey NAME VERSION: a key behind UDP that says it is a YubiKey 5 NFC of that firmware; NAME.pem is the root that vouches for it
  yubikey: async ([name = "", version = ""], { directory, variables, cleanups }) => {
    const aaguid = Buffer.from("2fc0579f811347eab116bb5a8db9202a", "hex");
    const batch = createBatchAttestation(aaguid);
    const [major = 0, minor = 0, patch = 0] = version.split(".").map(Number);
    const firmwareVersion = (major << 16) | (minor << 8) | patch;
    const served = await serveUdp(
      createSoftwareAuthenticator({ model: { aaguid, firmwareVersion, attestation: "batch" }, batch }),
    );
    variables.set(name, served.spec);
    cleanups.push(() => served.close());
    const base64 = Buffer.from(batch.root).toString("base64");
    writeFileSync(
      join(directory, `${name}.pem`),
      `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`,
    );
  },
  // finger NAME touches|refuses|sleeps
  finger: ([name = "", how], { fingers }) => {
    const policy = how === "touches" ? touchAfter(0) : how === "refuses" ? refuseAfter(0) : neverTouch();
    fingers.get(name)?.(policy);
  },
  // set-pin DEVICE PIN
  "set-pin": async ([device = "", pin = ""], { directory }) => {
    const [opened] = await openDevices(device.replace("soft:", `soft:${directory}/`));
    if (!opened) throw new Error("there is no such device");
    await setPin(opened, pin);
    await opened.close();
  },
  // edit FILE FROM TO
  edit: ([file = "", from = "", to = ""], { directory }) => {
    const path = join(directory, file);
    const text = readFileSync(path, "utf8");
    if (!text.includes(from)) throw new Error(`${file} does not contain ${from}`);
    writeFileSync(
      path,
      text.replace(from, () => to),
    );
  },
  copy: ([from = "", to = ""], { directory }) => {
    cpSync(join(directory, from), join(directory, to));
  },
  remove: ([file = ""], { directory }) => {
    rmSync(join(directory, file), { recursive: true });
  },
  cat: ([file = ""], { directory }) => ({ stdout: readFileSync(join(directory, file), "utf8") }),
  exists: ([file = ""], { directory }) => ({ exit: existsSync(join(directory, file)) ? 0 : 1 }),
  // run FOLDER COMMAND: a command of the last ones printed, by the shell
  run: async ([folder = "", ...command], { directory }) => {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    execFile("sh", ["-c", command.join(" ")], { cwd: join(directory, folder) }, (error, stdout, stderr) => {
      resolve({ stdout, stderr, exit: error === null ? 0 : 1 });
    });
    return promise;
  },
};

async function succeed(stage: Stage, command: string): Promise<Outcome> {
  const outcome = await stage.touchmark(command.split(" "));
  if (outcome.exit !== 0) throw new Error(`touchmark ${command}: ${outcome.stderr}`);
  return outcome;
}
