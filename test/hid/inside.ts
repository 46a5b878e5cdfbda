// Runs inside the virtual machine, bundled: what a person would do with keys, on real /dev/hidraw devices. Ends with the line it was given.
import { ok as isTrue, deepStrictEqual, strictEqual } from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createPublicKey, hash, randomBytes, verify } from "node:crypto";
import { once } from "node:events";
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { encodeUtf8, parseSshSignature, signedBytes, verifySshSignature } from "@touchmark/core";
import {
  assertKey,
  awaitDevice,
  type EnrolledKey,
  enrollKey,
  type FidoDevice,
  FidoError,
  type Interaction,
  listDevices,
  openDevices,
  selectDevice,
  setPin,
  winkDevice,
} from "@touchmark/fido";
import { nodeCrypto } from "@touchmark/log";
import { runTouchmark } from "../support/touchmark.ts";

const RP_ID = "ssh:touchmark";
const PIN = "pewter-1234";
/** A limit, not a measure: on an idle machine no step takes ten. */
const STEP_SECONDS = 60;
const touches: string[] = [];
const person: Interaction = { askPin: async () => PIN, showTouch: (name) => void touches.push(name) };

let first: ChildProcess;
await step("touchmark key enroll waits at a terminal for a key, and enrols the one that is plugged in", async () => {
  let plugging: Promise<ChildProcess> | undefined;
  const outcome = await runTouchmark(["key", "enroll", "--holder", "ada"], {
    directory: "/tmp",
    home: "/tmp/home",
    typed: [],
    onPrint: (text) => {
      if (text.startsWith("plug in a security key now")) plugging = plugIn("Pewter One", 64);
    },
  });
  strictEqual(outcome.exit, 0, outcome.text);
  isTrue(outcome.stderr.includes("touch Pewter One now"), outcome.text);
  if (plugging === undefined) throw new Error("it did not ask for a key");
  first = await plugging;
});
await step("node-hid lists it", async () => {
  const devices = await listDevices();
  deepStrictEqual(
    devices.map(({ kind, path, name }) => [kind, path, name]),
    [["usb", "/dev/hidraw0", "Pewter One"]],
  );
});

let device = await only();
let key: EnrolledKey | undefined;
await step("enrols and signs", async () => {
  key = await enroll(device);
  strictEqual(key.fmt, "packed");
  await sign(device, key, false);
  strictEqual(touches.length, 2);
});
await step("sets a PIN and signs with it; winks", async () => {
  await setPin(device, PIN);
  await sign(device, known(), true);
  isTrue(await winkDevice(device));
});
await step("two programs at once: each gets its own answers", async () => {
  const other = await only();
  await Promise.all([sign(device, known(), false), other.refresh(), sign(other, known(), true)]);
  await other.close();
});
await step("Ctrl-C while it blinks, and again", async () => {
  const stop = new AbortController();
  const showTouch = (): void => {
    stop.abort();
  };
  await refused("CANCELLED", sign(device, known(), false, { ...person, showTouch, signal: stop.signal }));
  await sign(device, known(), false);
});
await step("no permission for the device file", async () => {
  await device.close();
  chmodSync("/dev/hidraw0", 0o600);
  strictEqual(run(process.execPath, programFile("as-nobody")), "NO_PERMISSION");
});

await step("a second key of another report size: the one with the credential is found without a touch", async () => {
  await plugIn("Pewter Two", 48);
  touches.length = 0;
  const devices = await openDevices();
  strictEqual(devices.length, 2);
  const holding = { rpId: RP_ID, credentialIds: [known().credentialId] };
  device = await selectDevice({ devices, interaction: person, holding });
  deepStrictEqual([device.path, touches], ["/dev/hidraw0", []]);
});
await step("pulled out while it blinks; a third one is waited for, and is another", async () => {
  const showTouch = (): void => {
    first.kill("SIGKILL");
  };
  await refused("DEVICE_GONE", sign(device, known(), false, { ...person, showTouch }));
  const reasons: string[] = [];
  const showPlugIn = (reason: string): void => {
    reasons.push(reason);
    // Long enough for it to be noticed as another one.
    void plugIn("Pewter Three", 64).then(() => setTimeout(() => stop.abort(), 2_000));
  };
  const stop = new AbortController();
  const holding = { rpId: RP_ID, credentialIds: [known().credentialId] };
  await refused("CANCELLED", awaitDevice({ interaction: { ...person, showPlugIn, signal: stop.signal }, holding }));
  deepStrictEqual(reasons, ["other"]);
  const names = (await listDevices()).map(({ name }) => name);
  deepStrictEqual(names.toSorted(), ["Pewter Three", "Pewter Two"]);
});
await step("all blink, and the one that is touched first is taken; reports of 48 bytes carry a signature", async () => {
  const chosen = await selectDevice({ devices: await openDevices(), interaction: person });
  await chosen.close();
  for (const one of await openDevices()) {
    await sign(one, await enroll(one), false);
    await one.close();
  }
});

const [third] = (await listDevices()).filter(({ name }) => name === "Pewter Three");
const path = third?.path ?? "";
await stepWith("/usr/bin/fido2-token", "libfido2 lists and describes it", async () => {
  isTrue(run("fido2-token", "-L").includes(path));
  const info = run("fido2-token", "-I", path);
  isTrue(/version strings: .*FIDO_2_1/.test(info), info);
});
await stepWith("/usr/bin/fido2-cred", "libfido2 enrols with it, and verifies what it made", async () => {
  writeFileSync(
    "/tmp/cred",
    [randomBytes(32).toString("base64"), RP_ID, "ada", randomBytes(8).toString("base64"), ""].join("\n"),
  );
  run("fido2-cred", "-M", "-i", "/tmp/cred", "-o", "/tmp/made", path, "es256");
  run("fido2-cred", "-V", "-i", "/tmp/made", "-o", "/tmp/verified", "es256");
});
await stepWith("/usr/bin/ssh-keygen", "OpenSSH makes a key with it and signs; our verifier takes that", async () => {
  for (const type of ["ecdsa-sk", "ed25519-sk"]) {
    const file = `/tmp/${type}`;
    run("ssh-keygen", "-q", "-t", type, "-O", `application=${RP_ID}`, "-N", "", "-f", file);
    writeFileSync("/tmp/message", "a message");
    rmSync("/tmp/message.sig", { force: true });
    run("ssh-keygen", "-q", "-Y", "sign", "-n", "touchmark", "-f", file, "/tmp/message");
    const armored = readFileSync("/tmp/message.sig", "latin1");
    const blob = Buffer.from(armored.replace(/-----[^-]*-----/g, ""), "base64");
    const signature = parseSshSignature(new Uint8Array(blob));
    const tbs = signedBytes(nodeCrypto, encodeUtf8("a message"));
    verifySshSignature(nodeCrypto, signature, tbs, { userVerification: false, deviceBound: true });
  }
});

say(process.argv[2] ?? "");
// The devices still run.
process.exit(0);

async function plugIn(name: string, reportBytes: number): Promise<ChildProcess> {
  const args = [programFile("uhid-device"), name, String(reportBytes)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "exit").then(([code, signal]) => {
    throw new Error(`the program behind ${name} ended with ${code ?? signal}`);
  });
  await Promise.race([once(child.stdout, "data"), ended]);
  // Later on it ends when it is pulled out.
  ended.catch(() => undefined);
  // The kernel shows the device a moment after it was made.
  for (let left = 100; left > 0; left--) {
    if ((await listDevices()).some((one) => one.name === name)) return child;
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
  throw new Error(`${name} does not appear`);
}

async function only(): Promise<FidoDevice> {
  const [opened] = await openDevices();
  if (opened === undefined) throw new Error("no device");
  return opened;
}

function known(): EnrolledKey {
  if (key === undefined) throw new Error("nothing was enrolled");
  return key;
}

async function enroll(on: FidoDevice): Promise<EnrolledKey> {
  const user = { id: randomBytes(8), name: "ada" };
  return await enrollKey({
    device: on,
    rpId: RP_ID,
    clientDataHash: randomBytes(32),
    user,
    algorithms: [-7],
    interaction: person,
  });
}

async function sign(
  on: FidoDevice,
  { credentialId, publicKey }: EnrolledKey,
  wantUv: boolean,
  interaction = person,
): Promise<void> {
  const clientDataHash = randomBytes(32);
  const { authData, signature, flags } = await assertKey({
    device: on,
    rpId: RP_ID,
    clientDataHash,
    credentialIds: [credentialId],
    wantUv,
    interaction,
  });
  const point = publicKey.alg === "ES256" ? publicKey.point : new Uint8Array();
  const x = Buffer.from(point.subarray(1, 33)).toString("base64url");
  const y = Buffer.from(point.subarray(33)).toString("base64url");
  const publicObject = createPublicKey({ key: { kty: "EC", crv: "P-256", x, y }, format: "jwk" });
  isTrue(verify("sha256", Buffer.concat([authData, clientDataHash]), publicObject, signature));
  deepStrictEqual(Buffer.from(authData.subarray(0, 32)), hash("sha256", RP_ID, "buffer"));
  strictEqual(flags, wantUv ? 5 : 1);
}

async function refused(code: string, work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof FidoError)) throw error;
    strictEqual(error.code, code);
    return;
  }
  throw new Error(`it was not refused with ${code}`);
}

function programFile(name: string): string {
  return fileURLToPath(new URL(`${name}.mjs`, import.meta.url));
}

function run(file: string, ...args: string[]): string {
  const { status, error, stdout, stderr } = spawnSync(file, args, {
    encoding: "utf8",
    timeout: STEP_SECONDS * 1000,
  });
  strictEqual(status, 0, `${file} ${args.join(" ")}: ${error?.message ?? stderr}`);
  return stdout;
}

async function stepWith(program: string, name: string, work: () => Promise<void>): Promise<void> {
  if (existsSync(program)) await step(name, work);
  else say(`left out, for there is no ${program}: ${name}`);
}

async function step(name: string, work: () => Promise<void>): Promise<void> {
  const start = performance.now();
  const timer = setTimeout(() => {
    say(`failed: ${name}: it did not end within ${STEP_SECONDS} seconds`);
    process.exit(1);
  }, STEP_SECONDS * 1000);
  try {
    await work();
    clearTimeout(timer);
  } catch (error) {
    say(`failed: ${name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    process.exit(1);
  }
  say(`ok: ${name} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
