// Whole talks in which one side is not what it should be. However they go, they end in time with a result or a FidoError.
import { setTimeout as pause } from "node:timers/promises";
import {
  assertKey,
  type ChannelTiming,
  enrollKey,
  FidoError,
  type FidoDevice,
  openChannel,
  openDevice,
  setPin,
} from "../src/index.ts";
import { COMMAND, encodeMessage } from "../src/hid/framing.ts";
import { createMemoryPipe } from "../src/pipe/memory.ts";
import { createSoftwareAuthenticator, describeSoftDevice } from "../src/testing/index.ts";
import type { AuthenticatorModel, SoftwareAuthenticator } from "../src/testing/index.ts";
import { type Corpus, HOLDER, PIN, RP_ID } from "./corpus.ts";
import { FuzzFailure, type Target } from "./parsers.ts";
import { mutate, type Random } from "./random.ts";

const TIMING: ChannelTiming = {
  packet: 15,
  transaction: 60,
  busy: 20,
  busyRetry: 5,
  cancel: 10,
  touchPoll: 1,
  touch: 10,
};
/** Longer than any talk's bounds together, even on a machine that is busy. */
const TOO_LONG = 20_000;

export function talkTargets(corpus: Corpus): Target[] {
  return [
    { name: "a device that says anything", run: (random) => inTime(anyDevice(random)) },
    { name: "a key whose packets are changed", run: (random) => inTime(changedPackets(random)) },
    { name: "a key whose answers are changed", run: (random) => inTime(changedAnswers(random)) },
    { name: "a host that says anything", run: (random) => inTime(anyHost(random, corpus)) },
  ];
}

async function anyDevice(random: Random): Promise<void> {
  const channel = 0x0a0b0c0d;
  const { pipe, end } = createMemoryPipe({
    receive(packet) {
      if (packet[4] === (0x80 | COMMAND.init)) {
        const answer = Uint8Array.of(...packet.subarray(7, 15), 0x0a, 0x0b, 0x0c, 0x0d, 2, 1, 2, 3, random.below(16));
        for (const sent of encodeMessage(0xffffffff, COMMAND.init, answer)) end.deliver(sent);
      } else for (let left = random.below(6); left > 0; left--) end.deliver(anyPacket(random, channel));
    },
    hostClosed: () => undefined,
  });
  await endsWell(
    (async () => {
      const line = await openChannel(pipe, { randomBytes: (length) => random.bytes(length), timing: TIMING });
      await endsWell(line.call(COMMAND.cbor, Uint8Array.of(4)));
      await endsWell(line.call(COMMAND.msg, Uint8Array.of(0, 3, 0, 0, 0, 0, 0)));
    })(),
  );
}

function anyPacket(random: Random, channel: number): Uint8Array {
  if (random.below(8) === 0) return random.bytes(random.below(80));
  const packet = new Uint8Array(64);
  new DataView(packet.buffer).setUint32(0, random.below(10) === 0 ? 0xffffffff : channel);
  packet[4] = random.pick([0x90, 0x83, 0xbb, 0xbf, 0x86, 0, 1, 2, random.below(256)]);
  packet.set([random.below(3) === 0 ? random.below(40) : 0, random.below(80)], 5);
  packet.set(random.bytes(random.below(57)), 7);
  return packet;
}

async function changedPackets(random: Random): Promise<void> {
  const authenticator = createSoftwareAuthenticator({ model: anyModel(random), touchTimeout: 20, keepaliveEvery: 5 });
  const often = 2 + random.below(20);
  authenticator.setFaults({
    alterPacket(packet) {
      switch (random.below(often) === 0 ? random.below(4) : 4) {
        case 0:
          return [];
        case 1:
          return [packet, packet];
        case 2:
          return [mutate(random, packet)];
        case 3:
          return [anyPacket(random, 1), packet];
        default:
          return [packet];
      }
    },
  });
  await useKey(authenticator, random);
}

async function changedAnswers(random: Random): Promise<void> {
  const authenticator = createSoftwareAuthenticator({ model: anyModel(random), touchTimeout: 20, keepaliveEvery: 5 });
  let left = random.below(10);
  const alter = (answer: Uint8Array): Uint8Array => (left-- === 0 ? mutate(random, answer).subarray(0, 3_000) : answer);
  authenticator.setFaults({ alterAnswer: (_, answer) => alter(answer), alterU2fAnswer: alter });
  await useKey(authenticator, random);
}

function anyModel(random: Random): Partial<AuthenticatorModel> {
  const isOld = random.below(3) === 0;
  return {
    speaks: random.pick(["ctap2", "ctap2", "ctap2", "u2f"]),
    attestation: random.pick(["self", "none"]),
    pinProtocols: random.pick([[1], [2], [2, 1]]),
    ...(isOld && { versions: ["FIDO_2_0"], hasPermissions: false }),
    fingerprint: random.below(4) === 0 ? () => "match" : undefined,
    alwaysUv: random.below(4) === 0,
    packetBytes: random.pick([64, 64, 32]),
  };
}

async function useKey(authenticator: SoftwareAuthenticator, random: Random): Promise<void> {
  const interaction = { askPin: async () => PIN, showTouch: () => undefined };
  let device: FidoDevice | undefined;
  await endsWell(
    (async () => {
      device = await openDevice(describeSoftDevice(authenticator), { timing: TIMING });
      if (random.below(2) === 0) await endsWell(setPin(device, PIN));
      const request = {
        device,
        rpId: RP_ID,
        clientDataHash: random.bytes(32),
        interaction,
        wantUv: random.below(2) === 0,
      };
      const excludeCredentialIds = [random.bytes(62)];
      const key = await enrollKey({
        ...request,
        user: { id: Uint8Array.of(1), name: HOLDER },
        algorithms: [-7],
        excludeCredentialIds,
      });
      await assertKey({ ...request, credentialIds: [random.bytes(62), key.credentialId] });
    })(),
  );
  await device?.close();
}

// The software authenticator is what other tests rely on: it has to go on, whatever it hears.
async function anyHost(random: Random, corpus: Corpus): Promise<void> {
  const authenticator = createSoftwareAuthenticator({ model: { speaks: "both" }, touchTimeout: 5, keepaliveEvery: 5 });
  const host = authenticator.attach(() => undefined);
  host.receive(encodeMessage(0xffffffff, COMMAND.init, random.bytes(8))[0] ?? random.bytes(64));
  for (let left = 20; left > 0; left--) {
    const message = corpus.messages[random.below(corpus.messages.length)] ?? random.bytes(9);
    const changed = mutate(random, message, corpus.messages).subarray(0, 7_000);
    const packets =
      random.below(3) === 0
        ? [anyPacket(random, 1)]
        : encodeMessage(1, random.pick([COMMAND.cbor, COMMAND.msg]), changed);
    for (const packet of packets) host.receive(packet);
    if (random.below(4) === 0) await pause(1);
  }
  host.detach();
  authenticator.pullOut();
  const device = await openDevice(describeSoftDevice(authenticator), { timing: { busy: 5_000, busyRetry: 10 } });
  await device.close();
}

async function endsWell(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof FidoError)) throw error;
  }
}

async function inTime(work: Promise<void>): Promise<void> {
  const stop = new AbortController();
  const late = pause(TOO_LONG, "late" as const, { signal: stop.signal }).catch(() => undefined);
  const outcome = await Promise.race([work, late]);
  stop.abort();
  if (outcome === "late") throw new FuzzFailure("a talk that does not end");
}
