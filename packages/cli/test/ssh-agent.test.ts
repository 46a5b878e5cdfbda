import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Outcome, type Place, runTouchmark } from "../../../test/support/touchmark.ts";
import { DUMMY_PROVIDER, makeSshKey, missingForOpenssh } from "./support/openssh.ts";

// A security key that only a running ssh-agent has: the private key file is gone, as on a machine that an agent is forwarded to.

const missing = process.env["CI"] === undefined ? missingForOpenssh() : null;

describe.skipIf(missing !== null)("ssh-agent", () => {
  let directory: string;
  let agent: ChildProcess;
  let place: Place;
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "touchmark-agent-"));
    const socket = join(directory, "socket");
    agent = spawn("ssh-agent", ["-D", "-a", socket, "-P", DUMMY_PROVIDER], { stdio: "ignore" });
    for (let left = 200; left > 0 && !existsSync(socket); left--)
      await new Promise((resolve) => setTimeout(resolve, 20));
    place = { directory, home: join(directory, "home"), env: { SSH_AUTH_SOCK: socket } };
    const key = join(directory, "id");
    makeSshKey(key, "ed25519-sk", "ssh:touchmark");
    const env = { ...process.env, SSH_AUTH_SOCK: socket };
    const added = spawnSync("ssh-add", ["-S", DUMMY_PROVIDER, key], { encoding: "utf8", env });
    expect(added.status, added.stderr).toBe(0);
    rmSync(key);
  });
  afterAll(() => {
    agent.kill();
    rmSync(directory, { recursive: true });
  });

  const touchmark = (command: string): Promise<Outcome> => runTouchmark(command.split(" "), place);

  test("enrols and signs by the public key's file alone", async () => {
    const enrolled = await touchmark("key enroll --holder alice --device ssh:id.pub");
    expect(enrolled.exit, enrolled.text).toBe(0);
    const tested = await touchmark("key test --holder alice");
    expect(tested.exit, tested.text).toBe(0);
    expect(tested.stdout).toContain("its signature verifies");
  });

  test("without the agent there is a word for it", async () => {
    const alone = { ...place, env: { SSH_AUTH_SOCK: join(directory, "nobody") } };
    const outcome = await runTouchmark(["key", "test", "--holder", "alice"], alone);
    expect(outcome.exit, outcome.text).toBe(4);
    expect(outcome.stderr).toContain("[SSH_KEYGEN]");
  });
});
