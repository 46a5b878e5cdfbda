// Keys that come and go while somebody waits for them.
import { describe, expect, test } from "vitest";
import {
  awaitDevice,
  type DeviceDescription,
  explain,
  type FidoDevice,
  type Interaction,
  openDevice,
  type PlugInReason,
} from "../src/index.ts";
import {
  createSoftwareAuthenticator,
  describeSoftDevice,
  manualTouch,
  neverTouch,
  type SoftwareAuthenticator,
} from "../src/testing/index.ts";
import { enroll, expectCode, type Person, person, QUICK, RP_ID } from "./kit.ts";

interface Port {
  plug(name: string, authenticator?: SoftwareAuthenticator): DeviceDescription;
  unplug(name: string): void;
  readonly edges: NonNullable<Parameters<typeof awaitDevice>[0]["edges"]>;
  readonly looks: () => number;
}

/** A port that keys are plugged into, looked at a hundred times a second. */
function port(): Port {
  const there = new Map<string, DeviceDescription>();
  let looks = 0;
  return {
    plug(name, authenticator = createSoftwareAuthenticator()) {
      const description = describeSoftDevice(authenticator, name);
      there.set(name, description);
      return description;
    },
    unplug: (name) => void there.delete(name),
    looks: () => looks,
    edges: {
      ...QUICK,
      list: async () => [...there.values()],
      nextLook: async () => {
        looks++;
        await new Promise((resolve) => {
          setTimeout(resolve, 10);
        });
      },
    },
  };
}

interface Patient extends Person {
  readonly reasons: PlugInReason[];
  showPlugIn(reason: PlugInReason): void;
}

function patient(onPlugIn: (reason: PlugInReason) => void = () => undefined, signal?: AbortSignal): Patient {
  const reasons: PlugInReason[] = [];
  return {
    ...person([], signal),
    reasons,
    showPlugIn(reason) {
      reasons.push(reason);
      onPlugIn(reason);
    },
  };
}

describe("awaitDevice", () => {
  test("waits until a key is plugged in, and says so once", async () => {
    const usb = port();
    const someone = patient(() => void setTimeout(() => usb.plug("late"), 60));
    const device = await awaitDevice({ interaction: someone, edges: usb.edges });
    expect([device.path, someone.reasons]).toEqual(["late", ["none"]]);
    expect(usb.looks()).toBeGreaterThan(2);
    await enroll(device);
  });

  test("does not wait for a person who cannot be told", async () => {
    const usb = port();
    const interaction: Interaction = person();
    await expectCode(awaitDevice({ interaction, edges: usb.edges }), "NO_DEVICE");
    usb.plug("one");
    const holding = { rpId: RP_ID, credentialIds: [new Uint8Array(64)] };
    await expectCode(awaitDevice({ interaction, edges: usb.edges, holding }), "CREDENTIAL_UNKNOWN");
  });

  test("waits for the key that holds the credential, past others; they are closed", async () => {
    const usb = port();
    const right = createSoftwareAuthenticator();
    const key = await enroll(await openDevice(describeSoftDevice(right), QUICK));
    let wrong = 0;
    const description = usb.plug("wrong");
    const counted: DeviceDescription = {
      ...description,
      async openPipe() {
        const pipe = await description.openPipe();
        wrong++;
        return {
          ...pipe,
          async close() {
            wrong--;
            await pipe.close();
          },
        };
      },
    };
    const { list } = usb.edges;
    const edges = {
      ...usb.edges,
      list: async (spec: string) => ((await list?.(spec)) ?? []).map((one) => (one.path === "wrong" ? counted : one)),
    };
    const someone = patient((reason) => {
      if (reason === "other") setTimeout(() => usb.plug("right", right), 40);
    });
    const holding = { rpId: RP_ID, credentialIds: [key.credentialId] };
    const device = await awaitDevice({ interaction: someone, edges, holding });
    expect([device.path, someone.reasons, someone.touches, wrong]).toEqual(["right", ["other"], [], 0]);
  });

  test("a key that falls silent when it is asked is nobody's: it is asked anew, and the right one is taken", async () => {
    const usb = port();
    const right = createSoftwareAuthenticator();
    const key = await enroll(await openDevice(describeSoftDevice(right), QUICK));
    const holding = { rpId: RP_ID, credentialIds: [key.credentialId] };
    const description = usb.plug("deaf");
    let opened = 0;
    const deaf: DeviceDescription = {
      ...description,
      async openPipe() {
        const pipe = await description.openPipe();
        opened++;
        let reports = 0;
        // INIT and getInfo are answered; the first two times nothing else is.
        return { ...pipe, send: async (report) => (++reports > 2 && opened < 3 ? undefined : await pipe.send(report)) };
      },
    };
    const { list } = usb.edges;
    const edges = {
      ...usb.edges,
      list: async (spec: string) => ((await list?.(spec)) ?? []).map((one) => (one.path === "deaf" ? deaf : one)),
    };
    await expectCode(awaitDevice({ interaction: person(), edges, holding }), "DEVICE_SILENT");
    const someone = patient((reason) => {
      if (reason === "other") usb.plug("right", right);
    });
    const device = await awaitDevice({ interaction: someone, edges, holding });
    expect([device.path, someone.reasons, opened]).toEqual(["right", ["none", "other"], 3]);
  });

  test("a key that hides its credentials is taken only where the caller says that they may hide", async () => {
    const usb = port();
    usb.plug("hiding");
    const holding = { rpId: RP_ID, credentialIds: [new Uint8Array(64)], mayHide: true };
    expect((await awaitDevice({ interaction: person(), edges: usb.edges, holding })).path).toBe("hiding");
  });

  test("a key that is plugged in while others blink blinks with them", async () => {
    const usb = port();
    for (const name of ["one", "two"])
      usb.plug(name, createSoftwareAuthenticator({ touch: neverTouch(), touchTimeout: 5_000, keepaliveEvery: 10 }));
    const finger = manualTouch();
    const third = createSoftwareAuthenticator({ touch: finger.policy, touchTimeout: 5_000, keepaliveEvery: 10 });
    const someone = patient();
    const showTouch = (name: string): void => {
      someone.showTouch(name);
      if (someone.touches.length === 2) usb.plug("three", third);
      if (name.includes("three")) finger.touch();
    };
    const device = await awaitDevice({ interaction: { ...someone, showTouch }, edges: usb.edges });
    expect(device.path).toBe("three");
    // The first two were told to stop, and asked anew.
    expect(someone.touches).toHaveLength(5);
  });

  test("a key that is pulled out while waiting is forgotten; plugged in again it is another", async () => {
    const usb = port();
    const right = createSoftwareAuthenticator();
    const key = await enroll(await openDevice(describeSoftDevice(right), QUICK));
    usb.plug("other");
    const someone = patient((reason) => {
      if (reason === "other") setTimeout(() => usb.unplug("other"), 30);
      else setTimeout(() => usb.plug("other", right), 30);
    });
    const holding = { rpId: RP_ID, credentialIds: [key.credentialId] };
    const device = await awaitDevice({ interaction: someone, edges: usb.edges, holding });
    expect(someone.reasons).toEqual(["other", "none"]);
    await device.refresh();
  });

  test("Ctrl-C ends each wait", async () => {
    const usb = port();
    const waiting = (): Patient => patient(undefined, AbortSignal.timeout(40));
    await expectCode(awaitDevice({ interaction: waiting(), edges: usb.edges }), "CANCELLED");
    for (const name of ["one", "two"])
      usb.plug(name, createSoftwareAuthenticator({ touch: neverTouch(), touchTimeout: 5_000 }));
    await expectCode(awaitDevice({ interaction: waiting(), edges: usb.edges }), "CANCELLED");
  });

  test("Ctrl-C just while a key is asked for the credential ends the wait too: that key is not taken for its holder", async () => {
    const stop = new AbortController();
    const description = describeSoftDevice(createSoftwareAuthenticator());
    const asked: DeviceDescription = {
      ...description,
      async openPipe() {
        const pipe = await description.openPipe();
        let reports = 0;
        // INIT and getInfo come first.
        const send = async (report: Uint8Array): Promise<void> => {
          if (++reports === 3) stop.abort();
          await pipe.send(report);
        };
        return { ...pipe, send };
      },
    };
    const edges = { ...QUICK, list: async () => [asked] };
    const holding = { rpId: RP_ID, credentialIds: [new Uint8Array(64)] };
    await expectCode(awaitDevice({ interaction: patient(undefined, stop.signal), edges, holding }), "CANCELLED");
  });

  test("what can't be opened for good is said at once; what is not ready yet is tried again", async () => {
    const usb = port();
    const description = usb.plug("slow");
    let problem: "no-permission" | "gone" = "no-permission";
    let tries = 0;
    const edges = {
      ...usb.edges,
      list: async (): Promise<DeviceDescription[]> => [
        {
          ...description,
          async openPipe() {
            if (++tries < 4) throw explain({ kind: problem, path: "/dev/hidraw0" });
            return await description.openPipe();
          },
        },
      ],
    };
    await expectCode(awaitDevice({ interaction: patient(), edges }), "NO_PERMISSION");
    problem = "gone";
    const device: FidoDevice = await awaitDevice({ interaction: patient(), edges });
    expect([device.path, tries]).toEqual(["slow", 4]);
  });
});
