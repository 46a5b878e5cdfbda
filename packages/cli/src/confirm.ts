import type { Context } from "./command.ts";
import { CliError } from "./error.ts";

/** Asks at the terminal unless `--yes` was said. `refused` is what a no means. Throws `CONFIRMATION_NEEDED`, `NOT_CONFIRMED`. */
export async function confirm(yes: boolean, question: string, refused: string, { io }: Context): Promise<void> {
  if (yes) return;
  if (!io.isTerminal.stdin) {
    throw new CliError(
      "CONFIRMATION_NEEDED",
      "There is no terminal to confirm this on.",
      "If you have read it, say --yes.",
    );
  }
  if (!(await io.askConfirm(question))) throw new CliError("NOT_CONFIRMED", refused);
}
