import { stretches } from "./Links";

export type Mark = "strong" | "em" | "del" | "code";
/** A part of a message that looks alike, outermost mark last and each once; one with an address is a link. */
export type Piece = { text: string; href?: string; marks: readonly Mark[] };

const marks: Readonly<Record<string, Mark>> = { "**": "strong", "__": "strong", "~~": "del", "*": "em", "_": "em" };
const signs = /\*\*|__|~~|\*|_/g;
/** Between three signs over lines, else within one. */
const codes = /```\n?([\s\S]+?)\n?```|`([^`\n]+)`/g;
/** What a sign beside it belongs to: `2*3` and `snake_case` are as they are. */
const isWord = (sign: string | undefined): boolean => sign !== undefined && /[\p{L}\p{N}]/u.test(sign);
const isSpace = (sign: string | undefined): boolean => sign === undefined || /\s/.test(sign);

type Item = { text: string; href?: string; isCode?: true; sign?: Mark; opens?: boolean; closes?: boolean };

/**
 * A message as Markdown shows it: `**strong**`, `*emphasis*`, `~~struck~~` and `` `code` ``, of which code takes the rest as it stands. There is no other markup, and
 * what has no partner is text.
 */
export function pieces(text: string): readonly Piece[] {
  const items = taken(text), partner = paired(items), open: Mark[] = [], found: Piece[] = [];
  for (const [at, { text, href, isCode, sign }] of items.entries()) {
    const other = partner.get(at);
    if (sign && other !== undefined) {
      if (other > at) open.unshift(sign); else open.shift();
    } else {
      // What is strong within what is strong is no stronger: a message that nests hundreds of pairs would be a hundred thousand elements.
      const around = [...new Set(open)];
      found.push({ text, marks: isCode ? ["code", ...around] : around, ...(href !== undefined && { href }) });
    }
  }
  return joined(found);
}

/** What lies between code, apart by addresses and signs. */
function taken(text: string): readonly Item[] {
  const items: Item[] = [];
  let at = 0;
  const plain = (until: number) => { for (const part of stretches(text.slice(at, until))) items.push(...(part.href ? [part] : apart(part.text))); };
  for (const match of text.matchAll(codes)) {
    const from = match.index ?? 0;
    plain(from);
    items.push({ text: match[1] ?? match[2] ?? "", isCode: true });
    at = from + (match[0] ?? "").length;
  }
  plain(text.length);
  return flanked(items);
}

function apart(text: string): readonly Item[] {
  const items: Item[] = [];
  let at = 0;
  for (const match of text.matchAll(signs)) {
    const from = match.index ?? 0;
    const found = match[0] ?? "";
    if (from > at) items.push({ text: text.slice(at, from) });
    items.push({ text: found, sign: marks[found] });
    at = from + found.length;
  }
  if (at < text.length) items.push({ text: text.slice(at) });
  return items;
}

/** A sign opens before what is no space and behind no word, and closes the other way round. */
function flanked(items: readonly Item[]): readonly Item[] {
  return items.map((item, at) => {
    if (!item.sign) return item;
    const before = items[at - 1]?.text.slice(-1), after = items[at + 1]?.text.slice(0, 1);
    return { ...item, opens: !isSpace(after) && !isWord(before), closes: !isSpace(before) && !isWord(after) };
  });
}

/** By the places of signs, those of their partners: within a line, and never across another pair. */
function paired(items: readonly Item[]): ReadonlyMap<number, number> {
  const found = new Map<number, number>();
  let open: { at: number; text: string }[] = [];
  for (const [at, { text, sign, opens, closes }] of items.entries()) {
    if (!sign && text.includes("\n")) open = [];
    if (!sign) continue;
    const from = closes ? open.map(one => one.text).lastIndexOf(text) : -1, begin = open[from];
    if (begin && begin.at < at - 1) {
      found.set(begin.at, at).set(at, begin.at);
      open = open.slice(0, from);
    } else if (opens) open.push({ at, text });
  }
  return found;
}

/** Text that looks like the text before it is one with it. */
function joined(all: readonly Piece[]): readonly Piece[] {
  const found: Piece[] = [];
  for (const one of all) {
    const last = found[found.length - 1];
    const isAlike = last?.href === undefined && one.href === undefined && last?.marks.join() === one.marks.join() && !one.marks.includes("code");
    if (last && isAlike) last.text += one.text; else found.push({ ...one });
  }
  return found;
}
