// Controls (C0, DEL, C1), soft hyphen, zero-width and bidirectional characters, line and paragraph separators,
// variation selectors, tags, and lone surrogates: whatever can move the cursor or hide in a terminal.
const UNSAFE =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb]|[\u{e0000}-\u{e0fff}]|\p{Surrogate}/gu;

/** Foreign text made safe to print [C-16]: dangerous characters become `\u{…}`; what is over `limit` characters is cut. */
export function cleanText(text: string, limit = 500): string {
  const cut = text.length > limit ? `${text.slice(0, limit)}…` : text;
  return cut.replace(UNSAFE, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
}
