// A software authenticator that speaks real packets. It is NOT hardware: its keys lie in memory or in a file.
import { randomBytes as systemRandomBytes } from "node:crypto";
import { EDDSA, ES256 } from "../ctap2/cose-key.ts";
import { STATUS } from "../ctap2/status.ts";
import { CAPABILITY } from "../hid/channel.ts";
import { createMemoryPipe, type MemoryEnd } from "../pipe/memory.ts";
import { PACKET_BYTES, type PacketPipe, type RandomBytes } from "../pipe/packet-pipe.ts";
import { type BatchAttestation, createBatchAttestation } from "./batch-attestation.ts";
import { answerCommand } from "./commands.ts";
import type { AuthenticatorModel, SoftDevice } from "./device.ts";
import { createHidDevice } from "./hid-device.ts";
import { createPinState } from "./pin-state.ts";
import { createMemoryStore, type StateStore } from "./state.ts";
import { touchAfter, type TouchPolicy } from "./touch.ts";
import { createU2f } from "./u2f.ts";

/** Hooks through which a test makes the device misbehave. */
export interface Faults {
  /** What goes out instead of a report: none, the same, others, broken ones. */
  alterPacket?(packet: Uint8Array): readonly Uint8Array[];
  /** What goes out instead of the answer (status byte and CBOR) to a CTAP2 command. */
  alterAnswer?(command: number, answer: Uint8Array): Uint8Array;
  /** What goes out instead of the answer (data and status word) to a U2F command. */
  alterU2fAnswer?(answer: Uint8Array): Uint8Array;
}

export interface SoftwareAuthenticatorOptions {
  readonly randomBytes: RandomBytes;
  readonly store: StateStore;
  /** What kind of key is played; the default is a CTAP 2.1 key with both PIN protocols and both algorithms. */
  readonly model: Partial<AuthenticatorModel>;
  readonly touch: TouchPolicy;
  /** Milliseconds until the key stops waiting for a finger. */
  readonly touchTimeout: number;
  /** Milliseconds between keepalives. */
  readonly keepaliveEvery: number;
  readonly faults: Faults;
  /** Who attests; without it a root and a batch certificate are made. */
  readonly batch: BatchAttestation;
  readonly wink: () => void;
}

export interface SoftwareAuthenticator {
  /** A host opens the device. Every open host sees all reports, as with real HID devices. */
  plugIn(): PacketPipe;
  /** Like `plugIn`, for transports: `deliver` gets every report, the result takes the host's. */
  attach(deliver: (packet: Uint8Array) => void): AttachedHost;
  /** From now on another finger. */
  setTouch(policy: TouchPolicy): void;
  /** From now on other faults. */
  setFaults(faults: Faults): void;
  /** The key is pulled out: every open pipe is gone. It can be plugged in again, and then has forgotten its tokens. */
  pullOut(): void;
  /** Loses power for a moment without being pulled out, as firmware that is run as a program does when it is started anew. */
  restart(): void;
  /** DER of the root of the batch attestation, if the model has one. */
  readonly attestationRoot: Uint8Array | undefined;
}

export interface AttachedHost {
  readonly receive: (packet: Uint8Array) => void;
  detach(): void;
}

const DEFAULT_MODEL: AuthenticatorModel = {
  versions: ["FIDO_2_0", "FIDO_2_1"],
  aaguid: new TextEncoder().encode("NOT-HARDWARE-KEY"),
  algorithms: [ES256, EDDSA],
  pinProtocols: [2, 1],
  hasClientPin: true,
  hasPermissions: true,
  alwaysUv: false,
  makeCredUvNotRqd: true,
  fingerprint: undefined,
  minPinLength: 4,
  maxPinLength: undefined,
  acceptsPin: undefined,
  forcePinChange: false,
  hasCredProtect: true,
  discoverablePlaces: 8,
  firmwareVersion: undefined,
  speaks: "ctap2",
  canWink: true,
  packetBytes: PACKET_BYTES,
  maxMessageBytes: 1200,
  maxCredentialCountInList: 8,
  maxCredentialIdLength: 128,
  attestation: "self",
  noTouchStatus: STATUS.userActionTimeout,
  omitsSingleCredential: false,
};

export function createSoftwareAuthenticator(
  options: Partial<SoftwareAuthenticatorOptions> = {},
): SoftwareAuthenticator {
  const randomBytes = options.randomBytes ?? ((length) => new Uint8Array(systemRandomBytes(length)));
  const model: AuthenticatorModel = { ...DEFAULT_MODEL, ...options.model };
  const hosts = new Set<(packet: Uint8Array) => void>();
  const pipes = new Set<MemoryEnd>();
  let touch = options.touch ?? touchAfter(0);
  let faults = options.faults ?? {};

  const createBatch = (): BatchAttestation => options.batch ?? createBatchAttestation(model.aaguid);

  const device: SoftDevice = {
    model,
    store: options.store ?? createMemoryStore(randomBytes),
    pin: createPinState(randomBytes, model.forcePinChange),
    batch: model.attestation === "batch" || model.speaks !== "ctap2" ? createBatch() : undefined,
    randomBytes,
    touch: () => touch,
    touchTimeout: options.touchTimeout ?? 30_000,
  };
  const answerU2f =
    model.speaks === "ctap2" || device.batch === undefined ? undefined : createU2f(device, device.batch);
  const alterU2f = (answer: Uint8Array): Uint8Array => faults.alterU2fAnswer?.(answer) ?? answer;
  const hid = createHidDevice({
    keepaliveEvery: options.keepaliveEvery ?? 100,
    capabilities: capabilitiesOf(model),
    packetBytes: model.packetBytes,
    wink: options.wink ?? (() => undefined),
    answerU2f: answerU2f && (async (message) => alterU2f(await answerU2f(message))),
    broadcast(packet) {
      for (const sent of faults.alterPacket?.(packet) ?? [packet]) for (const deliver of hosts) deliver(sent);
    },
    async answer(message, context) {
      const answer = await answerCommand(device, message, context);
      return faults.alterAnswer?.(message[0] ?? 0, answer) ?? answer;
    },
  });

  function losePower(): void {
    hid.reset();
    Object.assign(device.pin, createPinState(randomBytes, device.pin.mustChange));
  }

  function attach(deliver: (packet: Uint8Array) => void): AttachedHost {
    hosts.add(deliver);
    return { receive: hid.receive, detach: () => void hosts.delete(deliver) };
  }

  return {
    attach,
    plugIn() {
      const host = attach((packet) => {
        end.deliver(packet);
      });
      const { pipe, end } = createMemoryPipe(
        {
          receive: host.receive,
          hostClosed() {
            host.detach();
            pipes.delete(end);
          },
        },
        { in: model.packetBytes, out: model.packetBytes },
      );
      pipes.add(end);
      return pipe;
    },
    setTouch(policy) {
      touch = policy;
    },
    setFaults(next) {
      faults = next;
    },
    pullOut() {
      losePower();
      hosts.clear();
      for (const end of pipes) end.vanish(new Error("pulled out"));
      pipes.clear();
    },
    restart: losePower,
    attestationRoot: device.batch?.root,
  };
}

function capabilitiesOf({ speaks, canWink }: AuthenticatorModel): number {
  const wink = canWink ? CAPABILITY.wink : 0;
  if (speaks === "u2f") return wink;
  return wink | CAPABILITY.cbor | (speaks === "ctap2" ? CAPABILITY.noU2f : 0);
}
