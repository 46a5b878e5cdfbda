// The histories of test/vectors/authority, told one by one. A refusal that isn't the one told stops the making.
import type { Power } from "../../src/index.ts";
import { keyOf, WIDGET } from "../support/town.ts";
import type { HistoryVector } from "../support/history-vectors.ts";
import { type Team, tell, type Telling } from "./history.ts";

const TEAM: Team = { keys: "alice bob carol", releaseThreshold: 2, recovery: "rudi ruth rosa" };
const LOWER: Team = { ...TEAM, releaseThreshold: 1, changeThreshold: 2 };
const WITH_DAVE: Team = { ...TEAM, keys: "alice bob carol dave", changeThreshold: 3 };
const THIEF: Team = { keys: "mallory", releaseThreshold: 1 };
const ERIN: Team = { keys: "erin", releaseThreshold: 1 };
const [ONE, TWO] = ["committee:one", "committee:two"];
const ALL: Power[] = ["adopt", "endorse", "expedite", "hold", "review"];
const BOTH = { [ONE]: ALL, [TWO]: ALL };
const VOTES = "erin olaf olga tina tom";

export function histories(): HistoryVector[] {
  return [
    tell(1, "two-of-three-release", ["S-22"], (t) => {
      inForce(t);
      t.release("1.0.0", "alice bob");
    }),
    tell(2, "two-keys-of-one-holder", ["S-5", "S-22"], (t) => {
      inForce(t, { keys: "alice alice/2 bob carol", releaseThreshold: 2 });
      t.release("1.0.0", "alice alice/2", "THRESHOLD by S-22");
    }),
    tell(3, "without-keys", ["S-4"], (t) => {
      inForce(t);
      t.release("1.0.0", "mallory", "WRONG_KEY by S-4");
    }),
    tell(4, "a-thief-claims-first", ["A-3", "A-4"], (t) => {
      t.claim(THIEF, { proof: true });
      t.day = 6;
      t.claim(TEAM, { proof: true });
      t.day = 12.9;
      t.look();
      t.day = 13;
      t.look();
    }),
    tell(5, "one-rogue-maintainer", ["A-8"], (t) => {
      inForce(t);
      t.change(LOWER, "alice", "THRESHOLD by A-8");
    }),
    tell(6, "a-lowering-waits", ["A-9"], (t) => {
      inForce(t);
      t.change(LOWER, "alice bob");
      t.day = 23.9;
      t.release("1.0.0", "carol", "THRESHOLD by S-22");
      t.day = 24;
      t.release("1.0.0", "carol");
    }),
    tell(7, "no-possession", ["A-8"], (t) => {
      inForce(t);
      t.change(WITH_DAVE, "alice bob", "MISSING_POSSESSION by A-8");
    }),
    tell(8, "two-changes-of-one-previous", ["A-8"], (t) => {
      const claim = inForce(t);
      t.change(WITH_DAVE, "alice bob dave");
      t.change(
        { ...TEAM, keys: "alice bob carol erin", changeThreshold: 3 },
        "bob carol erin",
        "WRONG_PREVIOUS by A-8",
        claim,
      );
    }),
    tell(9, "a-stolen-key-revokes-itself", ["A-12"], (t) => {
      inForce(t);
      t.release("1.0.0", "alice bob");
      t.revoke("alice", "alice");
      t.release("1.0.1", "alice bob", "REVOKED_KEY by A-12");
      t.release("1.0.1", "bob carol");
    }),
    tell(10, "frozen", ["A-12"], (t) => {
      inForce(t);
      t.revoke("alice", "alice");
      t.revoke("bob", "bob");
      t.release("1.0.0", "carol", "FROZEN by A-12");
    }),
    tell(11, "recovery-and-its-veto", ["A-10", "A-15"], (t) => {
      inForce(t);
      const first = t.change({ keys: "dora", releaseThreshold: 1 }, "rudi ruth dora");
      t.day = 39;
      t.veto(first, "carol");
      t.day = 50;
      t.change({ keys: "dora", releaseThreshold: 1 }, "rudi rosa dora");
      t.day = 79.9;
      t.release("1.0.0", "dora", "WRONG_KEY by S-4");
      t.day = 80;
      t.release("1.0.0", "dora");
    }),
    tell(
      12,
      "a-live-package-is-not-adopted",
      ["A-21"],
      (t) => {
        orphan(t);
        t.day = 374.9;
        t.release("1.0.0", "alice bob");
        t.adopt(ERIN, [ONE, TWO], VOTES, "NOT_DORMANT by A-21");
      },
      BOTH,
    ),
    tell(
      13,
      "one-committee-is-not-enough",
      ["A-21"],
      (t) => {
        orphan(t);
        t.adopt(ERIN, [ONE], "erin olaf olga", "ADOPTION_REFUSED by A-21");
        t.adopt(ERIN, [ONE, TWO], "erin olaf olga tina", "THRESHOLD by A-17");
      },
      BOTH,
    ),
    tell(
      14,
      "colluding-committees-and-one-old-key",
      ["A-15", "A-21", "A-22"],
      (t) => {
        orphan(t);
        const adoption = t.adopt(ERIN, [ONE, TWO], VOTES);
        t.day += 89;
        t.veto(adoption, "carol");
        t.day += 2;
        t.finish(adoption, "erin", "NOT_PENDING by A-23");
        t.day += 300;
        t.adopt(ERIN, [ONE, TWO], VOTES, "NOT_DORMANT by A-21");
        t.day += 65;
        t.adopt(ERIN, [ONE, TWO], VOTES);
      },
      BOTH,
    ),
    tell(
      15,
      "a-sign-of-life",
      ["A-22"],
      (t) => {
        orphan(t);
        const adoption = t.adopt(ERIN, [ONE, TWO], VOTES);
        t.release("1.0.0", "alice bob");
        t.day += 90;
        t.finish(adoption, "erin", "SIGN_OF_LIFE by A-22");
      },
      BOTH,
    ),
    tell(
      16,
      "inside-the-window",
      ["A-23"],
      (t) => {
        orphan(t);
        const adoption = t.adopt(ERIN, [ONE, TWO], VOTES);
        t.day += 89.9;
        t.finish(adoption, "erin", "TOO_EARLY by A-23");
        t.day += 30.1;
        t.finish(adoption, "erin", "NOT_PENDING by A-23");
      },
      BOTH,
    ),
    tell(17, "a-new-epoch", ["A-23", "A-25"], adopted, BOTH),
    tell(
      18,
      "old-keys-are-void",
      ["A-23"],
      (t) => {
        adopted(t);
        t.release("2.0.0", "alice bob", "WRONG_KEY by S-4");
        t.release("2.0.0", "erin");
      },
      BOTH,
    ),
    tell(
      19,
      "never",
      ["A-21"],
      (t) => {
        orphan(t, { ...TEAM, adoption: "never" });
        t.adopt(ERIN, [ONE, TWO], VOTES, "ADOPTION_REFUSED by A-21");
      },
      BOTH,
    ),
    tell(
      20,
      "a-declared-successor",
      ["A-21"],
      (t) => {
        orphan(t, { ...TEAM, successors: [keyOf("erin").fingerprint] });
        const adoption = t.adopt(ERIN, [], "erin");
        t.day += 20.9;
        t.finish(adoption, "erin", "TOO_EARLY by A-23");
        t.day += 0.1;
        t.finish(adoption, "erin");
      },
      BOTH,
    ),
    tell(
      21,
      "a-hold-ends-by-itself",
      ["A-18"],
      (t) => {
        orphan(t);
        t.day = 20;
        t.release("1.0.0", "alice bob");
        t.hold(ONE, "olaf olga");
        t.day = 33.9;
        t.look();
        t.day = 34;
        t.look();
        t.hold(ONE, "olaf olga", "HELD_BEFORE by A-18");
      },
      BOTH,
    ),
    tell(
      22,
      "an-old-version-needs-an-id",
      ["A-18"],
      (t) => {
        orphan(t);
        t.day = 20;
        t.release("1.0.0", "alice bob");
        t.day = 50;
        t.hold(ONE, "olaf olga", "HOLD_NEEDS_OSV by A-18");
        let hold = t.hold(ONE, "olaf olga", undefined, { osv: "MAL-2026-1" });
        for (let i = 0; i < 2; i++) {
          t.day += 13;
          hold = t.hold(ONE, "olaf olga", undefined, { osv: "MAL-2026-1", renews: hold });
        }
        t.hold(ONE, "olaf olga", "RENEWED_OUT by A-18", { osv: "MAL-2026-1", renews: hold });
      },
      BOTH,
    ),
    tell(23, "one-maintainers-hold", ["A-18"], (t) => {
      inForce(t);
      t.release("1.0.0", "alice bob");
      t.hold(WIDGET, "carol");
      t.day += 2.9;
      t.look();
      t.day += 0.1;
      t.look();
    }),
    tell(
      24,
      "expedited",
      ["A-14"],
      (t) => {
        orphan(t, { ...TEAM, expedite: ONE });
        t.day = 20;
        t.release("1.0.0", "alice olaf olga");
        t.release("1.0.1", "alice olaf", "THRESHOLD by A-17");
        t.release("1.0.1", "alice", "THRESHOLD by S-22");
      },
      BOTH,
    ),
    tell(
      25,
      "a-committee-alone",
      ["A-14"],
      (t) => {
        orphan(t, { ...TEAM, expedite: ONE });
        t.day = 20;
        t.release("1.0.0", "olaf olga", "THRESHOLD by A-14");
      },
      BOTH,
    ),
    tell(26, "equivocation", ["S-23"], (t) => {
      inForce(t);
      t.release("1.0.0", "alice bob");
      t.release("1.0.0", "alice bob", "EQUIVOCATION by S-23", "99");
      t.release("1.0.0", "bob carol", "ALREADY_RELEASED by S-23");
    }),
    tell(
      27,
      "members-who-are-holders",
      ["A-17"],
      (t) => {
        t.found(ONE, "alice olga", ALL);
        inForce(t);
        t.release("1.0.0", "alice bob");
        t.hold(ONE, "alice olga", "THRESHOLD by A-17");
        t.found(TWO, "alice/2 tina", ALL);
        t.hold(TWO, "alice/2 tina");
      },
      BOTH,
    ),
    tell(
      28,
      "their-own-words",
      ["A-17", "A-19"],
      (t) => {
        t.found(ONE, "alice olga", ALL);
        t.found(TWO, "alice/2 tina", ALL);
        const claim = t.claim(TEAM, { proof: true });
        t.endorse(ONE, claim, "alice olga", "THRESHOLD by A-17");
        t.endorse(TWO, claim, "alice/2 tina", "THRESHOLD by A-17");
        t.review(ONE, "alice olga", "THRESHOLD by A-19");
        t.review(TWO, "alice/2 tina");
        t.day = 10;
        t.release("1.0.0", "alice bob");
        t.review(ONE, "alice olga", "THRESHOLD by A-19");
        t.review(TWO, "alice/2 tina", "THRESHOLD by A-19");
        t.found("committee:three", "olga tina", ALL);
        t.review("committee:three", "olga tina");
      },
      BOTH,
    ),
    tell(29, "a-funding-address", ["A-24"], (t) => {
      inForce(t);
      t.fund("https://pay.example/widget", "alice bob");
      t.day = 23.9;
      t.look();
      t.day = 24;
      t.look();
      const entry = t.fund("https://pay.example/thief", "alice bob");
      t.veto(entry, "carol");
      t.day = 60;
      t.look();
    }),
    tell(
      30,
      "committees-of-his-own",
      ["A-16"],
      (t) => {
        adopted(t);
        t.reader({});
        t.reader({ [ONE]: ALL });
        t.reader(BOTH);
      },
      BOTH,
    ),
    tell(
      31,
      "a-chain-of-its-own",
      ["S-40", "A-18"],
      (t) => {
        orphan(t);
        t.day = 20;
        t.release("1.0.0", "alice bob");
        t.hold(ONE, "olaf olga");
        t.hold(WIDGET, "olaf olga", "WRONG_KEY by S-4");
        t.reader({});
      },
      BOTH,
    ),
    tell(32, "a-claim-lapses", ["A-4"], (t) => {
      t.claim(TEAM);
      t.day = 6.9;
      t.look();
      t.day = 7;
      t.look();
    }),
    tell(33, "while-pending", ["A-13"], (t) => {
      t.claim(TEAM);
      t.claim(THIEF, { proof: true });
      t.release("1.0.0", "alice bob");
      t.release("1.0.0", "mallory", undefined, "66");
      t.release("1.0.1", "alice mallory", "WRONG_KEY by A-1");
    }),
    tell(34, "for-another-log", ["S-8"], (t) => {
      t.claim(TEAM, { logs: ["other.example"] }, "WRONG_LOG by S-8");
    }),
  ];
}

function inForce(t: Telling, team: Team = TEAM): string {
  const claim = t.claim(team, { proof: true });
  t.day = 10;
  return claim;
}

function orphan(t: Telling, team: Team = TEAM): void {
  t.found(ONE, "olaf olga", ALL);
  t.found(TWO, "tina tom", ALL);
  t.claim(team, { proof: true });
  t.day = 365;
}

function adopted(t: Telling): void {
  orphan(t);
  const adoption = t.adopt(ERIN, [ONE, TWO], VOTES);
  t.day += 90;
  t.finish(adoption, "erin");
}
