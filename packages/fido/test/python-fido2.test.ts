// Against an implementation that isn't ours: Debian's python3-fido2, where it is installed.
import { spawn, spawnSync } from "node:child_process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { assertKey, type EnrolledKey } from "../src/index.ts";
import {
  createBatchAttestation,
  createSoftwareAuthenticator,
  serveUdp,
  type SoftwareAuthenticatorOptions,
  touchAfter,
} from "../src/testing/index.ts";
import { AAGUID } from "./attestation-kit.ts";
import { enroll, person, PIN, plugged, pluggedWithPin, random, RP_ID, toHex } from "./kit.ts";

const PYTHON = "/usr/bin/python3";
const PEER = fileURLToPath(new URL("python/peer.py", import.meta.url));
const probe = spawnSync(PYTHON, ["-c", "import fido2; print(fido2.__version__)"], { encoding: "utf8" });
const isThere = probe.status === 0;

async function peer(args: readonly string[], input = ""): Promise<string[]> {
  const child = spawn(PYTHON, [PEER, ...args], { stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.end(input);
  const [output, complaint] = await Promise.all([text(child.stdout), text(child.stderr)]);
  expect(complaint).toBe("");
  return output.trim().split("\n");
}

async function drive(
  command: string,
  options: Partial<SoftwareAuthenticatorOptions>,
  ...args: string[]
): Promise<string[]> {
  const server = await serveUdp(createSoftwareAuthenticator({ keepaliveEvery: 20, ...options }));
  try {
    return await peer([command, String(server.port), ...args]);
  } finally {
    await server.close();
  }
}

if (isThere) describe(`python-fido2 ${probe.stdout.trim()}`, againstPython);
else
  test(`python-fido2 is not asked: ${PYTHON} cannot import fido2 (Debian: python3-fido2)`, () => {
    expect(process.env["CI"], "in CI it has to be installed").toBeUndefined();
  });

function againstPython(): void {
  test("verifies registrations and signatures of every kind that we make", async () => {
    const batch = createBatchAttestation(AAGUID);
    const { device: batchKey } = await plugged({ batch, model: { attestation: "batch" } });
    const { device: selfKey } = await pluggedWithPin();
    const { device: silentKey } = await plugged({ model: { attestation: "none" } });
    const { device: oldKey } = await plugged({ batch, model: { speaks: "u2f" } });
    const kinds = [
      { name: "packed ES256", device: batchKey, type: "BASIC", algorithm: -7, root: true },
      { name: "packed Ed25519", device: batchKey, type: "BASIC", algorithm: -8, root: true },
      { name: "self ES256", device: selfKey, type: "SELF", algorithm: -7, uv: true },
      { name: "self Ed25519", device: selfKey, type: "SELF", algorithm: -8 },
      { name: "none", device: silentKey, type: "NONE", algorithm: -7 },
      { name: "U2F", device: oldKey, type: "BASIC", algorithm: -7, root: true },
    ] as const;
    const cases = [];
    for (const { name, device, type, algorithm, ...more } of kinds) {
      const wantUv = "uv" in more;
      const [clientDataHash, assertionHash] = [random(32), random(32)];
      const interaction = person([PIN, PIN]);
      const key: EnrolledKey = await enroll(device, { clientDataHash, algorithms: [algorithm], wantUv, interaction });
      const credentialIds = [key.credentialId];
      const { authData, signature } = await assertKey({
        device,
        rpId: RP_ID,
        clientDataHash: assertionHash,
        credentialIds,
        wantUv,
        interaction,
      });
      cases.push({
        name,
        type,
        format: key.fmt,
        rpId: RP_ID,
        attestationObject: toHex(key.attestationObject),
        clientDataHash: toHex(clientDataHash),
        credentialId: toHex(key.credentialId),
        authData: toHex(authData),
        assertionHash: toHex(assertionHash),
        signature: toHex(signature),
        ...("root" in more && { root: toHex(batch.root) }),
      });
    }
    expect(await peer(["verify"], JSON.stringify(cases))).toEqual(kinds.map(({ name }) => name));
  });

  test.each([64, 48])(
    "drives our authenticator with PINs of both protocols, in reports of %i bytes",
    async (packetBytes) => {
      const held = await drive("drive", { touch: touchAfter(30), model: { packetBytes } }, String(packetBytes));
      expect(held).toEqual([
        "getInfo",
        "PIN set",
        "protocol 1",
        "protocol 2",
        "PIN changed",
        "selection",
        "WebAuthn client",
      ]);
    },
  );

  test("drives our U2F key", async () => {
    expect(await drive("u2f", { model: { speaks: "u2f" } })).toEqual(["registered", "signed", "handles told apart"]);
  });
}
