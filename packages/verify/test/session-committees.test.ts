import { encodeEvidence, type LogEndpoint } from "@touchmark/log";
import { describe, expect, test } from "vitest";
import { parseCompanion } from "../src/evidence/companion.ts";
import { installSession } from "../src/install-session.ts";
import { parseLockfile } from "../src/npm/lockfile.ts";
import { registriesOf } from "../src/policy/policy.ts";
import { claimedScene, digestOf, found, GOOD, olaf, olga, ONE, WIDGET } from "./support/scene.ts";
import { NOW, policyOf } from "./support/widget.ts";

// What an install asks the log for, and what it keeps, where the policy recognises a committee.

function session(reviewed: boolean) {
  const scene = claimedScene();
  const one = found(scene, ONE, [olaf, olga], ["review"]);
  scene.release("1.0.0");
  if (reviewed) scene.review(ONE, [olaf, olga], { version: "1.0.0" });
  scene.day = 2000;
  scene.log.heartbeat(NOW);
  const policy = policyOf(scene.log, { widget: { review: [ONE] } }, { committees: { [ONE]: one } });
  const asked: Record<string, string[]>[] = [];
  const log: LogEndpoint = {
    url: "https://log.example/test/",
    key: scene.log.signer.key,
    fetch: async (_, init) => {
      const { packages } = JSON.parse(init?.body as string) as { packages: Record<string, string[]> };
      asked.push(packages);
      return new Response(encodeEvidence(scene.log.evidence(Object.keys(packages))));
    },
  };
  const ignored = (): void => undefined;
  const started = installSession({
    policy,
    companion: null,
    log,
    seen: [],
    now: () => NOW,
    onCheckpoint: ignored,
    onFork: ignored,
  });
  const integrity = `sha512-${Buffer.from(GOOD, "hex").toString("base64")}`;
  const resolved = "https://registry.example/widget/-/widget-1.0.0.tgz";
  const text = JSON.stringify({
    lockfileVersion: 3,
    packages: { "": {}, "node_modules/widget": { version: "1.0.0", resolved, integrity } },
  });
  return { session: started, asked, lockfile: parseLockfile(Buffer.from(text), registriesOf(policy)) };
}

describe("[E-20] an install with a committee", () => {
  test("asks for it and its reviews each time, and keeps its evidence without a pin", async () => {
    const { session: install, asked, lockfile } = session(true);
    expect((await install.checkLockfile(lockfile)).status).toBe("accepted");
    const question = { registry: "npmjs", name: "widget", version: "1.1.0", sha512: digestOf("1.1.0") };
    expect((await install.checkVersions([question]))[0]!.reasons.map(({ code }) => code)).toEqual([
      "NOT_REVIEWED",
      "NOT_SIGNED",
    ]);
    const bytes = (await install.companionFor(lockfile))!;
    const { pins, evidence } = parseCompanion(bytes);
    expect([...pins.keys()]).toEqual([WIDGET]);
    expect(evidence.entries.size).toBe(4); // the claim, the release, the committee's claim and its review
    expect(asked).toEqual([
      { [WIDGET]: ["1.0.0"], [ONE]: [`${WIDGET}@1.0.0`] },
      { [WIDGET]: ["1.0.0", "1.1.0"], [ONE]: [`${WIDGET}@1.0.0`, `${WIDGET}@1.1.0`] },
      { [WIDGET]: ["1.0.0"], [ONE]: [`${WIDGET}@1.0.0`] },
    ]);
  });

  test("refuses what it has not reviewed", async () => {
    const { session: install, lockfile } = session(false);
    const { status, verdicts } = await install.checkLockfile(lockfile);
    expect([status, verdicts[0]!.reasons[0]!.code]).toEqual(["rejected", "NOT_REVIEWED"]);
  });
});
