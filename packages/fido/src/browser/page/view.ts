import type { StatementSummary } from "@touchmark/core";

// The page's one card: a heading, what it is about, what is going on, and the buttons. Text goes in as text, never as HTML.

export type Summary = Pick<StatementSummary, "sections" | "facts" | "remark">;

export interface Button {
  readonly label: string;
  readonly primary?: boolean;
  readonly disabled?: boolean;
  readonly onPress: () => void;
}

export function showTitle(title: string, lead: string): void {
  part("title").textContent = title;
  part("lead").textContent = lead;
  document.title = `${title} – Touchmark`;
}

export function showSummary({ sections, facts, remark }: Summary): void {
  part("summary").replaceChildren(
    ...sections.flatMap(({ title, rows }) => [element("h2", title), list(rows)]),
    list(facts, "facts"),
    ...(remark === "" ? [] : [element("p", remark)]),
  );
}

/** Where the page stands, and what that means for its keys. */
export function showNote(text: string): void {
  part("note").textContent = text;
}

/** A change that a screen reader says aloud. `hint` may be empty. */
export function showStatus(kind: "busy" | "good" | "bad", message: string, hint = ""): void {
  part("status").replaceChildren(element("p", hint === "" ? message : `${message} ${hint}`, kind));
}

export function clearStatus(): void {
  part("status").replaceChildren();
}

export function showButtons(buttons: readonly Button[]): void {
  part("actions").replaceChildren(
    ...buttons.map(({ label, primary, disabled, onPress }) => {
      const button = element("button", label, primary === true ? "primary" : "");
      button.type = "button";
      button.disabled = disabled === true;
      button.addEventListener("click", onPress);
      return button;
    }),
  );
}

/** A text to be carried off, beside its button. */
export function showCode(label: string, code: string): HTMLTextAreaElement {
  const caption = element("label", label);
  caption.htmlFor = "code";
  const area = element("textarea", code);
  area.id = "code";
  area.readOnly = true;
  area.rows = 6;
  part("summary").append(caption, area);
  return area;
}

/** Where the eye and the screen reader go after a press has changed the page. */
export function focusTitle(): void {
  part("title").focus();
}

function list(rows: readonly (readonly [string, string])[], name = ""): HTMLElement {
  const all = element("dl", "", name);
  for (const [label, text] of rows)
    all.append(element("dt", label), element("dd", text, /^(?:SHA256:|sha256:|[0-9a-f]{32})/.test(text) ? "code" : ""));
  return all;
}

function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  text: string,
  className = "",
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  made.textContent = text;
  if (className !== "") made.className = className;
  return made;
}

function part(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`The page has no ${id}.`);
  return found;
}
