/** A stretch of a message; one with an address is a link. */
export type Stretch = { text: string; href?: string };

/** Up to the next space, quotation mark or angle bracket. */
const address = /\bhttps?:\/\/[^\s<>"“”„»«]+/gi;
/** What ends a sentence, and not an address. */
const endings = /[.,;:!?'’…*_~]/;
const pairs: Readonly<Record<string, string>> = { ")": "(", "]": "[", "}": "{" };

/** A text as it was written, in stretches: addresses of the web are links to where they say, and everything else is text. */
export function stretches(text: string): readonly Stretch[] {
  const found: Stretch[] = [];
  let at = 0;
  for (const match of text.matchAll(address)) {
    const written = trimmed(match[0] ?? ""), href = target(written), from = match.index ?? 0;
    if (href === null) continue;
    if (from > at) found.push({ text: text.slice(at, from) });
    found.push({ text: written, href });
    at = from + written.length;
  }
  if (at < text.length) found.push({ text: text.slice(at) });
  return found;
}

/** Without what belongs to the sentence around it: a bracket is the address's own where it opens one, too. */
function trimmed(text: string): string {
  const surplus = new Map(Object.entries(pairs).map(([closing, opening]) => [closing, count(text, closing) - count(text, opening)]));
  let end = text.length;
  for (; end > 0; end--) {
    const last = text[end - 1] ?? "", more = surplus.get(last);
    if (more === undefined ? !endings.test(last) : more <= 0) break;
    if (more !== undefined) surplus.set(last, more - 1);
  }
  return text.slice(0, end);
}

const count = (text: string, sign: string): number => text.split(sign).length - 1;

/** Null for what is none, and for what names somebody in front of the host: it looks like an address of where it does not lead. */
function target(text: string): string | null {
  try {
    const { href, protocol, username, password, hostname } = new URL(text);
    return ["http:", "https:"].includes(protocol) && username === "" && password === "" && hostname !== "" ? href : null;
  } catch {
    // It only begins like one.
    return null;
  }
}
