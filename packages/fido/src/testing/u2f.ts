// FIDO U2F Raw Message Formats 1.2, the key's side. A key handle is the credential id of CTAP2: either protocol knows it.
import { ES256 } from "../ctap2/cose-key.ts";
import { CONTROL, encodeAnswer, INS, parseApdu, SW } from "../u2f/apdu.ts";
import { type BatchAttestation } from "./batch-attestation.ts";
import { createCredential, openCredential } from "./credential.ts";
import type { SoftDevice } from "./device.ts";
import type { TouchPolicy } from "./touch.ts";

/** Answers U2F messages. Like real keys it never waits: it says that it wants to be touched, and remembers that it was. */
export function createU2f(device: SoftDevice, batch: BatchAttestation): (message: Uint8Array) => Promise<Uint8Array> {
  const finger = createFinger(device.touch, device.touchTimeout);

  async function answerRegister(data: Uint8Array): Promise<Uint8Array> {
    if (data.length !== 64) return encodeAnswer(SW.wrongLength);
    if (!finger.take()) return encodeAnswer(SW.conditionsNotSatisfied);
    const [challenge, application] = [data.subarray(0, 32), data.subarray(32)];
    const credential = createCredential(device.store.state.deviceSecret, application, ES256, device.randomBytes);
    const point = credential.publicKey.alg === "ES256" ? credential.publicKey.point : new Uint8Array();
    const signed = Buffer.concat([Uint8Array.of(0), application, challenge, credential.id, point]);
    const answer = [Uint8Array.of(0x05), point, Uint8Array.of(credential.id.length), credential.id, batch.certificate];
    return encodeAnswer(SW.ok, Buffer.concat([...answer, batch.sign(signed)]));
  }

  async function answerAuthenticate(control: number, data: Uint8Array): Promise<Uint8Array> {
    if (data.length < 65 || data.length !== 65 + (data[64] ?? 0)) return encodeAnswer(SW.wrongLength);
    const { store } = device;
    const [challenge, application, keyHandle] = [data.subarray(0, 32), data.subarray(32, 64), data.subarray(65)];
    const credential = openCredential(store.state.deviceSecret, application, keyHandle);
    if (credential === undefined || credential.algorithm !== ES256) return encodeAnswer(SW.wrongData);
    if (control !== CONTROL.sign || !finger.take()) return encodeAnswer(SW.conditionsNotSatisfied);
    store.state.counter++;
    await store.save();
    const head = Buffer.alloc(5, 1);
    head.writeUInt32BE(store.state.counter, 1);
    const signature = credential.sign(Buffer.concat([application, head, challenge]));
    return encodeAnswer(SW.ok, Buffer.concat([head, signature]));
  }

  return async (message) => {
    const command = parseApdu(message);
    if (command === undefined) return encodeAnswer(message[0] === 0 ? SW.wrongLength : SW.classNotSupported);
    switch (command.ins) {
      case INS.register:
        return await answerRegister(command.data);
      case INS.authenticate:
        return await answerAuthenticate(command.p1, command.data);
      case INS.version:
        return command.data.length === 0 ? encodeAnswer(SW.ok, Buffer.from("U2F_V2")) : encodeAnswer(SW.wrongLength);
      default:
        return encodeAnswer(SW.instructionNotSupported);
    }
  };
}

/** Milliseconds. */
const TOUCH_LASTS = 10_000;

interface Finger {
  /** True once after each touch; the first question begins the wait for it. */
  take(): boolean;
}

function createFinger(policy: () => TouchPolicy, timeout: number): Finger {
  let waiting = false;
  let touchedUntil = 0;

  async function wait(): Promise<void> {
    waiting = true;
    const outcome = await policy()(AbortSignal.timeout(timeout));
    waiting = false;
    if (outcome === "touched") touchedUntil = performance.now() + TOUCH_LASTS;
  }

  return {
    take() {
      if (performance.now() < touchedUntil) {
        touchedUntil = 0;
        return true;
      }
      if (!waiting) void wait();
      return false;
    },
  };
}
