import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeKey, SK_ED25519 } from "@touchmark/core";
import { type DeviceDescription, explain, listDevices } from "@touchmark/fido";
import { createSoftwareAuthenticator, describeSoftDevice, touchAfter } from "@touchmark/fido/testing";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { makeSoftKey } from "../../core/test/support/soft-key.ts";
import { type Outcome, type Place, runTouchmark } from "../../../test/support/touchmark.ts";
import { decideWay, type Surroundings } from "../src/keys/choose-way.ts";

// Where nobody says --device; and keys that are plugged in while somebody waits for them.

const root = mkdtempSync(join(tmpdir(), "touchmark-ways-"));
let place: Place;
let ports: Map<string, DeviceDescription>;
let desks = 0;

beforeEach(() => {
  const directory = join(root, `desk-${++desks}`);
  mkdirSync(directory);
  ports = new Map();
  place = {
    directory,
    home: join(directory, "home"),
    homeDirectory: directory,
    platform: "linux",
    watch: {
      list: async (spec) => (spec === "usb" ? [...ports.values()] : listDevices(spec)),
      nextLook: () => new Promise((resolve) => setTimeout(resolve, 5)),
    },
  };
});
afterAll(() => rmSync(root, { recursive: true }));

function plug(name: string, authenticator = createSoftwareAuthenticator({ touch: touchAfter(1) })): void {
  ports.set(name, describeSoftDevice(authenticator, name));
}

/** A key that the system does not let anybody open. */
function plugLocked(name: string): void {
  const locked = async (): Promise<never> => {
    throw explain({ kind: "no-permission", path: "/dev/hidraw9" });
  };
  ports.set(name, { kind: "usb", name, path: name, openPipe: locked });
}

const enroll = (more: Partial<Place> = {}, flags = ""): Promise<Outcome> =>
  runTouchmark(`key enroll --holder alice${flags}`.split(" "), { ...place, ...more });

describe("the way to a new key", () => {
  const there: Surroundings = { usb: { kind: "none" }, platform: "linux", canBrowse: true, sshKey: "/id_sk" };
  const plugged = { kind: "plugged", name: "A key" } as const;
  const unreachable = { kind: "unreachable", why: "No permission" } as const;
  test.each<[string, Partial<Surroundings>, string]>([
    ["USB wherever a key is plugged in", { usb: plugged }, "usb"],
    ["USB for an administrator on Windows", { usb: plugged, platform: "win32" }, "usb"],
    ["the browser on Windows", { platform: "win32" }, "browser"],
    ["the browser on Windows, where a key may not be opened", { platform: "win32", usb: unreachable }, "browser"],
    ["the browser where no permission is given", { usb: unreachable }, "browser"],
    ["OpenSSH where there is neither", { usb: unreachable, canBrowse: false }, "ssh:/id_sk"],
    ["USB, which will say what is wrong", { usb: unreachable, canBrowse: false, sshKey: undefined }, "usb"],
    ["USB, to be plugged in", { canBrowse: false }, "usb"],
    ["the person's choice where nothing is plugged in", {}, "usb or browser"],
    ["the person's choice on macOS, too", { platform: "darwin" }, "usb or browser"],
  ])("%s", (_name, changes, expected) => {
    const way = decideWay({ ...there, ...changes });
    expect(way.kind === "device" ? way.device : way.kind).toBe(expected);
  });

  test("is said, and can be chosen", async () => {
    plug("one");
    const outcome = await enroll();
    expect(outcome.exit, outcome.text).toBe(0);
    expect(outcome.stderr).toContain(
      "enrolling with --device usb: software authenticator – NOT hardware (one) is plugged in\n",
    );
    const soft = await enroll({}, " --device soft:two.soft");
    expect(soft.exit, soft.text).toBe(0);
    expect(soft.stderr).not.toContain("enrolling with");
  });

  test("a key that nobody may open: the browser, with the reason", async () => {
    plugLocked("locked");
    let opened = "";
    const stop = new AbortController();
    const outcome = await enroll({
      typed: [],
      env: { DISPLAY: ":0" },
      openUrl: async (url) => {
        opened = url;
        stop.abort();
      },
      signal: stop.signal,
    });
    expect(outcome.text).toContain(
      "enrolling with --device browser: No permission to open the security key (/dev/hidraw9)",
    );
    expect([opened.startsWith("http://localhost:"), outcome.exit]).toEqual([true, 4]);
  });

  test("without a browser the trouble itself is told", async () => {
    plugLocked("locked");
    const outcome = await enroll();
    expect(outcome.exit, outcome.text).toBe(4);
    expect(outcome.stderr).toContain("[NO_PERMISSION]");
  });

  test("OpenSSH's key that git signs with is offered by name", async () => {
    const { key } = makeSoftKey({ type: SK_ED25519, application: "ssh:" });
    const file = join(place.directory, "git_sk");
    writeFileSync(file, "");
    writeFileSync(`${file}.pub`, `${encodeKey(SK_ED25519, key.publicKey, "ssh:").record} me@here\n`);
    plug("one");
    const settings: Record<string, string> = { "gpg.format": "ssh", "user.signingkey": "~/git_sk.pub" };
    const outcome = await enroll({ gitConfig: async (name) => settings[name] });
    expect(outcome.exit, outcome.text).toBe(0);
    expect(outcome.stderr).toContain(`OpenSSH has a security key here; to take that one: --device ssh:${file}\n`);
    const others: typeof settings = { ...settings, "gpg.format": "openpgp" };
    expect((await enroll({ gitConfig: async (name) => others[name] })).stderr).not.toContain("OpenSSH has");
  });
});

describe("a key that is plugged in late", () => {
  const late = (text: string, act: () => void) => (printed: string) => {
    if (printed.includes(text)) setTimeout(act, 30);
  };

  test("is waited for at a terminal", async () => {
    const outcome = await enroll({ typed: [], onPrint: late("plug in a security key now", () => plug("late")) });
    expect(outcome.exit, outcome.text).toBe(0);
    expect(outcome.stderr.match(/plug in a security key now; Ctrl-C gives up/g)).toHaveLength(1);
    expect(outcome.stderr).toContain("touch software authenticator – NOT hardware (late) now");
  });

  test("after the browser was declined", async () => {
    const outcome = await enroll({
      typed: ["n"],
      env: { DISPLAY: ":0" },
      openUrl: async () => undefined,
      onPrint: late("plug in a security key now", () => plug("late")),
    });
    expect(outcome.exit, outcome.text).toBe(0);
    expect(outcome.stderr).toContain("Use the browser instead (Touch ID, a phone, a passkey)?");
  });

  test("is not waited for without a terminal, nor in CI", async () => {
    for (const more of [{}, { typed: [], env: { CI: "true" } }]) {
      const outcome = await enroll(more);
      expect(outcome.exit, outcome.text).toBe(4);
      expect(outcome.stderr).toContain("error: No security key is plugged in. [NO_DEVICE]");
    }
  });

  test("Ctrl-C ends the wait", async () => {
    const stop = new AbortController();
    const outcome = await enroll({ typed: [], signal: stop.signal, onPrint: late("plug in", () => stop.abort()) });
    expect(outcome.exit, outcome.text).toBe(4);
    expect(outcome.stderr).toContain("[CANCELLED]");
  });

  test("another key than the one that was enrolled: the right one is waited for", async () => {
    const right = createSoftwareAuthenticator({ touch: touchAfter(1) });
    plug("right", right);
    expect((await enroll()).exit).toBe(0);
    ports.clear();
    plug("wrong");
    const outcome = await runTouchmark(["key", "test"], {
      ...place,
      typed: [],
      onPrint: late("is not the one", () => plug("right", right)),
    });
    expect(outcome.exit, outcome.text).toBe(0);
    expect(outcome.stderr).toContain("the key that is plugged in is not the one: plug that in now; Ctrl-C gives up");
    const alone = await runTouchmark(["key", "test"], place);
    expect(alone.exit, alone.text).toBe(0);
    ports.delete("right");
    expect((await runTouchmark(["key", "test"], place)).stderr).toContain("[CREDENTIAL_UNKNOWN]");
  });
});
