// What `touchmark claim` asks when nothing was said. Each question is about the day on which a key is lost; it is explained before it is asked.
import { countHolders, isFingerprint } from "@touchmark/core";
import type { Context } from "../command.ts";
import { CliError } from "../error.ts";
import { explainFailure } from "../failure.ts";
import { localPackages } from "../files/workspace.ts";
import type { CardKey } from "../keys/key-card.ts";
import { readCards } from "../keys/read-cards.ts";
import type { AuthorityWishes } from "./new-authority.ts";

/** What was answered, in the form of flags. */
export interface ClaimAnswers {
  packages: string[];
  wishes: AuthorityWishes;
  "write-digest": boolean;
  out: string;
}

/** Asks for everything that a claim says. Throws `NOT_CONFIRMED` where the person gives up. */
export async function askForClaim(context: Context): Promise<ClaimAnswers> {
  const { io, ui } = context;
  const say = (...lines: string[]): void => lines.forEach((line) => ui.progress(line));
  const ask = async (question: string, preset: string, isGood: (text: string) => string | null): Promise<string> => {
    for (;;) {
      const typed = await io.askText(preset === "" ? question : `${question} [${preset}]`);
      if (typed === undefined) throw new CliError("NOT_CONFIRMED", "Nothing was written.");
      const answer = typed.trim() === "" ? preset : typed.trim();
      const problem = isGood(answer);
      if (problem === null) return answer;
      say(problem);
    }
  };
  const askYes = async (question: string): Promise<boolean> => io.askConfirm(question);
  const askCards = async (question: string, least: number): Promise<{ files: string[]; keys: CardKey[] }> => {
    const files: string[] = [];
    const keys: CardKey[] = [];
    for (;;) {
      const file = await ask(question, "", (text) => {
        if (text === "") return keys.length >= least ? null : "one card at least is needed";
        const read = cardsOf(text, context);
        return typeof read === "string" ? read : null;
      });
      if (file === "") return { files, keys };
      files.push(file);
      keys.push(...readCards([file], context));
      say(`so far: ${describeHolders(keys)}`);
    }
  };

  const here = localPackages(io.cwd);
  say(
    "This makes a claim: who may release these packages. It asks what you want for the day when a key is lost.",
    "Nothing is signed or sent; at the end there is a file that every key in it signs.",
  );
  const packages = (
    await ask("Which packages?", here.map(({ name }) => name).join(" "), (text) =>
      text === "" ? "name at least one" : null,
    )
  ).split(/[\s,]+/);

  say(
    "",
    "HOLDERS. Each person makes a key card (touchmark key export --out NAME.card) and sends it to you. Two keys of one person are one vote:",
    "a second key of each holder is what saves you when one is lost.",
  );
  const { files: cards, keys } = await askCards("A holder's key card (empty when that was all):", 1);
  const holders = countHolders(keys);
  const single = [...Map.groupBy(keys, ({ holder }) => holder)].filter(([, own]) => own.length === 1);
  if (single.length > 0)
    say(`${single.map(([holder]) => holder).join(", ")}: one key only. When it is lost, that vote is gone.`);

  say(
    "",
    `TO RELEASE. How many of ${holders} have to touch their keys for a version. With 1 whoever tricks or robs one of you releases alone;`,
    "with as many as there are, one lost key stops all releases.",
  );
  const threshold = await ask("How many does a release need?", String(Math.min(2, holders)), within(1, holders));
  const least = Math.max(Number(threshold), Math.floor(holders / 2) + 1);
  say(
    "",
    "TO CHANGE. How many can change these rules: add and remove people, revoke lost keys. Whoever is fewer can't; if so many are lost, only",
    "recovery keys help.",
  );
  const change = await ask("How many does a change need?", String(least), within(least, holders));

  say(
    "",
    "RECOVERY. Keys that never release: they can only propose new keys, which then wait 30 days in public, and any key that is left can say no.",
    "Friends, or keys in a safe. Without them, what is lost is lost.",
  );
  const { files: recoveryCards, keys: recoverers } = await askCards(
    "A recovery key card (empty when that was all):",
    0,
  );
  const recoveryHolders = countHolders(recoverers);
  const recoveryThreshold =
    recoveryHolders === 0
      ? undefined
      : await ask(
          "How many of them does a recovery need?",
          String(Math.min(2, recoveryHolders)),
          within(1, recoveryHolders),
        );

  say(
    "",
    "SUCCESSORS. A key that may take the package over, after 21 days in which any of you can say no, if nothing was heard of it for a year.",
  );
  const successor: string[] = [];
  for (;;) {
    const one = await ask("A successor's fingerprint (empty when that was all):", "", (text) =>
      text === "" || isFingerprint(text) ? null : "a fingerprint is SHA256: and 43 characters",
    );
    if (one === "") break;
    successor.push(one);
  }

  say(
    "",
    "ADOPTION, if nothing was heard for a year. ask: two committees have to support it, 90 days. open: anybody, 21 days. never: nobody, and the",
    "name stays an orphan.",
  );
  const adoption = await ask("ask, open or never?", "ask", (text) =>
    text === "ask" || text === "open" || text === "never" ? null : "ask, open or never",
  );
  let expedite: string | undefined;
  if (Number(threshold) >= 2) {
    say(
      "",
      "IN A HURRY. A committee may stand in for one holder of a release; everybody sees it then. Off unless you name one.",
    );
    const named = await ask("A committee (empty for none):", "", () => null);
    if (named !== "") expedite = named;
  }
  say("", "SIGNATURES. With PIN or fingerprint a stolen key alone signs nothing.");
  const uv = await askYes("Ask for PIN or fingerprint with every signature?");
  const deviceBound = await askYes("Refuse passkeys that can be copied to other devices?");
  say(
    "",
    "PROOF. The claim counts once a version is published within 7 days whose package.json carries the claim's digest: only who can publish can do",
    "that. Until then it waits.",
  );
  const writes = await askYes("Write the digest into package.json?");
  const preset = `${packages[0]!.replace("@", "").replaceAll(/[/:*]/g, "-")}.claim.touchmark`;
  const out = await ask("The claim's file?", preset, (text) =>
    text.endsWith(".touchmark") ? null : "its name ends in .touchmark",
  );
  return {
    packages,
    wishes: {
      key: cards,
      threshold,
      "change-threshold": change,
      "recovery-key": recoveryCards,
      "recovery-threshold": recoveryThreshold,
      successor,
      expedite,
      uv,
      "device-bound": deviceBound,
      adoption,
    },
    "write-digest": writes,
    out,
  };
}

function cardsOf(file: string, context: Context): CardKey[] | string {
  try {
    return readCards([file], context);
  } catch (error) {
    return explainFailure(error).message;
  }
}

function describeHolders(keys: readonly CardKey[]): string {
  return [...Map.groupBy(keys, ({ holder }) => holder)]
    .map(([holder, own]) => `${holder} (${own.length === 1 ? "1 key" : `${own.length} keys`})`)
    .join(", ");
}

function within(least: number, most: number): (text: string) => string | null {
  return (text) =>
    /^\d{1,2}$/.test(text) && Number(text) >= least && Number(text) <= most
      ? null
      : `a number from ${least} to ${most}`;
}
