// `touchmark.lock` good and bad, by [E-8]: what is refused is told here beforehand.
import { parseUtf8 } from "@touchmark/core";
import { encodeCompanion } from "../../src/evidence/companion.ts";
import type { Pin } from "../../src/evidence/pin.ts";
import { forgedLog } from "../support/forged-log.ts";
import { claimWidget, WIDGET } from "../support/widget.ts";

/** `pins` by package id; null for a file that is refused. */
export interface LockCase {
  name: string;
  file: string;
  pins: Record<string, Pin> | null;
}

const GADGET = "npm:npmjs/@acme/gadget";

export function lockCases(): LockCase[] {
  const log = forgedLog();
  const authority = claimWidget(log);
  const evidence = log.evidence([WIDGET]);
  const pin: Pin = { authority, epoch: 1, entry: 1, proof: ["a"] };
  const written = (name: string, pins: Record<string, Pin>): LockCase => {
    return { name, file: parseUtf8(encodeCompanion({ pins: new Map(Object.entries(pins)), evidence })), pins };
  };
  const one = written("one pin", { [WIDGET]: pin });
  const two = { [GADGET]: { ...pin, epoch: 3, entry: 70, proof: ["b", "e"] }, [WIDGET]: pin } satisfies Record<
    string,
    Pin
  >;
  const bad = (name: string, from: string | RegExp, to: string, file: string = one.file): LockCase => {
    const edited = file.replace(from, to);
    if (edited === file) throw new Error(`There is no ${String(from)} to replace.`);
    return { name, file: edited, pins: null };
  };
  const both = written("two pins, sorted by package id", two);
  const line = /"npm:npmjs\/widget":\{.*\}/.exec(one.file)![0];
  return [
    written("no pins", {}),
    one,
    both,
    written("a pin without a letter", { [WIDGET]: { ...pin, proof: [] } }),
    bad("the format of a bundle", "touchmark-lock/v1", "touchmark-evidence/v1"),
    bad("no pins at all", /"pins":\{[\s\S]*?\n\},\n/, ""),
    bad("pins that are not sorted", /("npm:npmjs\/@acme\/gadget":.*),\n("npm:npmjs\/widget":.*)/, "$2,\n$1", both.file),
    bad("a pin twice", line, `${line},\n${line}`),
    bad("a pin of no package id", '"npm:npmjs/widget":{"auth', '"widget":{"auth'),
    bad("a pin of a committee", '"npm:npmjs/widget":{"auth', '"committee:watch":{"auth'),
    bad("an authority in upper case", /sha256:[0-9a-f]{8}/, "sha256:ABCDEF01"),
    bad("epoch 0", '"epoch":1', '"epoch":0'),
    bad("an entry with a leading zero", '"entry":1', '"entry":01'),
    bad("letters that are not sorted", '"proof":"a"', '"proof":"ba"'),
    bad("an unknown letter", '"proof":"a"', '"proof":"f"'),
    bad("members of a pin in another order", '"epoch":1,"entry":1', '"entry":1,"epoch":1'),
    bad("a space", '"epoch":1', '"epoch": 1'),
    bad("cut short", /[\s\S]{10}$/, ""),
    bad("something behind its end", /$/, "\n"),
  ];
}
