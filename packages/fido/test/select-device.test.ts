import { describe, expect, test } from "vitest";
import { type FidoDevice, openDevice, selectDevice } from "../src/index.ts";
import {
  type AuthenticatorModel,
  createSoftwareAuthenticator,
  describeSoftDevice,
  manualTouch,
  neverTouch,
} from "../src/testing/index.ts";
import { enroll, expectCode, person, QUICK, RP_ID } from "./kit.ts";

async function twoKeys(
  model: Partial<AuthenticatorModel> = {},
  touchTimeout = 5_000,
): Promise<{
  readonly devices: readonly [FidoDevice, FidoDevice];
  readonly touchSecond: () => void;
  readonly pullFirst: () => void;
}> {
  const finger = manualTouch();
  const options = { keepaliveEvery: 10, touchTimeout, model };
  const first = createSoftwareAuthenticator({ ...options, touch: neverTouch() });
  const second = createSoftwareAuthenticator({ ...options, touch: finger.policy });
  const devices = [
    await openDevice(describeSoftDevice(first, "first"), QUICK),
    await openDevice(describeSoftDevice(second, "second"), QUICK),
  ] as const;
  return { devices, touchSecond: () => finger.touch(), pullFirst: () => first.pullOut() };
}

describe.each<readonly [string, Partial<AuthenticatorModel>]>([
  ["CTAP 2.1 section 6.9: authenticatorSelection", {}],
  ["CTAP 2.0: a dummy makeCredential with an empty pinAuth", { versions: ["FIDO_2_0"], hasPermissions: false }],
])("%s", (_, model) => {
  test("all blink; the first that is touched is taken, the others are told to stop and closed", async () => {
    const { devices, touchSecond } = await twoKeys(model);
    const blinking = new Set<string>();
    const start = performance.now();
    const chosen = await selectDevice({
      devices,
      interaction: {
        ...person(),
        showTouch(name) {
          blinking.add(name);
          if (blinking.size === 2) setTimeout(touchSecond, 20);
        },
      },
    });
    expect(chosen).toBe(devices[1]);
    expect(performance.now() - start).toBeLessThan(1_000);
    await expectCode(devices[0].refresh(), "DEVICE_GONE");
    await chosen.refresh();
  });
});

describe("selectDevice", () => {
  test("one key needs no touch", async () => {
    const { devices } = await twoKeys();
    const someone = person();
    expect(await selectDevice({ devices: [devices[0]], interaction: someone })).toBe(devices[0]);
    expect(someone.touches).toEqual([]);
  });

  test("no key", async () => {
    await expectCode(selectDevice({ devices: [], interaction: person() }), "NO_DEVICE");
  });

  test("the only one that holds the credential needs no touch", async () => {
    const { devices, touchSecond } = await twoKeys();
    touchSecond();
    const key = await enroll(devices[1]);
    const someone = person();
    const holding = { rpId: RP_ID, credentialIds: [key.credentialId] };
    expect(await selectDevice({ devices, interaction: someone, holding })).toBe(devices[1]);
    expect(someone.touches).toEqual([]);
  });

  test("nobody touches", async () => {
    await expectCode(
      selectDevice({ devices: (await twoKeys({}, 200)).devices, interaction: person() }),
      "TOUCH_TIMEOUT",
    );
  });

  test("Ctrl-C", async () => {
    const { devices } = await twoKeys();
    await expectCode(selectDevice({ devices, interaction: person([], AbortSignal.timeout(30)) }), "CANCELLED");
  });

  test("one is pulled out meanwhile: the other can still be touched", async () => {
    const { devices, touchSecond, pullFirst } = await twoKeys();
    setTimeout(pullFirst, 20);
    setTimeout(touchSecond, 60);
    expect(await selectDevice({ devices, interaction: person() })).toBe(devices[1]);
  });
});
