// Most text is plain, and only making the expression below costs a millisecond.
const PLAIN = /^[\x20-\x7e]*$/;

/** Foreign text made safe to print [C-16]: dangerous characters become `\u{…}`; what is over `limit` characters is cut. */
export function cleanText(text: string, limit = 500): string {
  const cut = text.length > limit ? `${text.slice(0, limit)}…` : text;
  if (PLAIN.test(cut)) return cut;
  // Controls, format characters (bidirectional and zero-width ones among them), line and paragraph separators, lone
  // surrogates, and all that Unicode lets a terminal draw as nothing: whatever can move the cursor or hide.
  return cut.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}]/gu,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
}
