import { resolve } from "node:path";
import { encodeHex, equalBytes, MAX_ENVELOPE_BYTES, parseUtf8 } from "@touchmark/core";
import { type EpochLeaf, MAX_TLOG_PROOF_BYTES, nodeCrypto, type PackageEntry } from "@touchmark/log";
import { checkTlogProof } from "@touchmark/verify";
import { type Command, defineCommand } from "../command.ts";
import { describeTime } from "../evidence/describe-evidence.ts";
import { exitOf, reasonJson, reasonLines } from "../evidence/describe-verdict.ts";
import { EXIT } from "../failure.ts";
import { loadPolicy } from "../files/policy-file.ts";
import { readWhole } from "../files/read-file.ts";
import { table } from "../ui.ts";

export const logCheckProof: Command = defineCommand({
  name: "log check-proof",
  usage: "FILE.tlog-proof [--envelope FILE.touchmark]",
  examples: [
    "touchmark log check-proof widget-1.0.0.tlog-proof",
    "touchmark log check-proof widget-1.0.0.tlog-proof --envelope widget-1.0.0.tgz.touchmark",
  ],
  about: [
    "Checks a proof that touchmark log proof wrote, offline: the log's signature, the hashes, and the quorum of witnesses that touchmark.json names.",
    "With --envelope also whether the entry is that of the statement in this file. Whether the statement itself is good: touchmark verify.",
    "Exit code 1 if something is wrong or too few witnesses cosigned, 3 if a cosignature that matters can't be computed here.",
  ],
  flags: { envelope: { value: "FILE", help: "the signature file that the entry shall be of" } },
  operands: [1, 1],
  run: async ({ envelope }, [file = ""], context) => {
    const { io, ui } = context;
    const policy = loadPolicy(context);
    const text = parseUtf8(readWhole(resolve(io.cwd, file), MAX_TLOG_PROOF_BYTES));
    const logged = envelope === undefined ? null : readWhole(resolve(io.cwd, envelope), MAX_ENVELOPE_BYTES);
    const verdict = checkTlogProof(policy, text, io.now());
    if (verdict.status !== "accepted") {
      const { status, reason } = verdict;
      ui.result({ ok: false, status, reason: reasonJson(reason) }, [
        `${status}  ${file}`,
        ...reasonLines(reason, "  "),
      ]);
      return exitOf(status);
    }
    const { index, leaf, checkpoint, quorum } = verdict;
    if (logged !== null && !isOf(leaf, logged)) {
      const message = `The entry is of other bytes than ${envelope}: another statement, or the same one with other signatures.`;
      ui.result({ ok: false, status: "rejected", reason: { code: "OTHER_ENVELOPE", step: "M-13", message } }, [
        message,
      ]);
      return EXIT.rejected;
    }
    const { origin, size } = checkpoint;
    ui.result(
      {
        ok: true,
        status: "accepted",
        origin,
        size,
        index,
        ...leafJson(leaf),
        quorum: quorum && { ...quorum, cosigned: [...quorum.cosigned] },
      },
      [
        `accepted  ${file}`,
        ...table([
          ["  log", `${origin}, ${size} leaves`],
          ["  entry", `${index}, ${leaf.kind}, ${describeTime(leaf.time)}`],
          ...(leaf.kind === "epoch" ? [] : [["  envelope", `SHA-256 ${encodeHex(leaf.envelopeHash)}`]]),
          [
            "  witnesses",
            quorum === null
              ? "none named in the policy"
              : `${quorum.cosigned.join(", ")}, ${describeTime(quorum.time)}`,
          ], // [V-22]
        ]),
      ],
    );
    return EXIT.ok;
  },
});

/** [M-13] */
function isOf(leaf: PackageEntry | EpochLeaf, envelope: Uint8Array): boolean {
  return leaf.kind !== "epoch" && equalBytes(leaf.envelopeHash, nodeCrypto.sha256(envelope));
}

function leafJson(leaf: PackageEntry | EpochLeaf): { kind: string; time: number; package?: string; envelope?: string } {
  const { kind, time } = leaf;
  return leaf.kind === "epoch"
    ? { kind, time }
    : { kind, time, package: encodeHex(leaf.packageHash), envelope: encodeHex(leaf.envelopeHash) };
}
