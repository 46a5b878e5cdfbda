import { cleanText } from "@touchmark/core";

/** One entry of a feed. `since` in seconds. */
export interface FeedEntry {
  id: string;
  subject: string;
  text: string;
  command: string;
  since: number;
}

const MAX_TEXT = 4000;

/** An Atom feed (RFC 4287). `time` is when it was made, in seconds. */
export function encodeAtom(origin: string, entries: readonly FeedEntry[], time: number): string {
  return [
    '<?xml version="1.0" encoding="utf-8"?>',
    '<feed xmlns="http://www.w3.org/2005/Atom">',
    `  <title>Touchmark: ${escaped(origin)}</title>`,
    `  <id>urn:touchmark:notify:${escaped(encodeURIComponent(origin))}</id>`,
    "  <author><name>touchmark notify</name></author>",
    `  <updated>${date(time)}</updated>`,
    ...entries.flatMap(({ id, subject, text, command, since }) => [
      "  <entry>",
      `    <id>urn:touchmark:notice:${escaped(encodeURIComponent(id))}</id>`,
      `    <title>${escaped(subject)}: ${escaped(text)}</title>`,
      `    <updated>${date(since)}</updated>`,
      `    <content type="text">${escaped(command)}</content>`,
      "  </entry>",
    ]),
    "</feed>",
    "",
  ].join("\n");
}

function date(time: number): string {
  return new Date(time * 1000).toISOString();
}

function escaped(text: string): string {
  const names: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return cleanText(text, MAX_TEXT).replaceAll(/[&<>"]/g, (character) => names[character]!);
}
