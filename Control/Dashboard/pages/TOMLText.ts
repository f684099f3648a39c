/** A section: `[video]`, or that of `[[link]]` with this name. */
export type Place = { table: string; name?: string };

/** What stands at a key: a list and what else a form has no field for is `null`. */
export type Scalar = string | number | boolean | null;

type Entry = { key: string; value: Scalar; from: number; to: number; line: number; after: number };
type Table = { name: string; isOneOfMany: boolean; entries: Entry[]; after: number };

const space = /(?:[ \t\r\n]|#[^\n]*)*/y, lineEnd = /[ \t]*(?:#[^\n]*)?(?:\r?\n|$)/y;
const header = /\[(\[?)[ \t]*([A-Za-z0-9_-]+)[ \t]*\](\]?)/y, key = /([A-Za-z0-9_-]+)[ \t]*=[ \t]*/y;
const scalar = /"(?!"")(?:[^"\\\n]|\\.)*"|'(?!'')[^'\n]*'|[A-Za-z0-9_+-][A-Za-z0-9_+.:-]*/y;
const inList = /"(?!"")(?:[^"\\\n]|\\.)*"|'(?!'')[^'\n]*'|#[^\n]*|[[\]]|[^"'#[\]{}]+/y;

/**
 * A configuration as a person wrote it, whose values are read and exchanged one by one: comments, order and everything else stay as they are.
 * It knows sections, keys and values of one line, and lists; of a text with anything else there is none. The server reads TOML whole.
 */
export class TOMLText {
  private constructor(readonly text: string, private readonly tables: readonly Table[]) {}

  static of(text: string): TOMLText | null {
    const tables = new Scanner(text).tables();
    return tables && new TOMLText(text, tables);
  }

  /** @returns undefined where nothing stands there. */
  value(place: Place, name: string): Scalar | undefined {
    return this.find(place)?.entries.find(one => one.key === name)?.value;
  }

  /** The names in all sections of an array, `[[link]]`. */
  names(table: string): string[] {
    return this.tables.filter(one => one.name === table && one.isOneOfMany).map(nameOf).filter((name): name is string => typeof name === "string");
  }

  /** The text with another value there; without the key for undefined. */
  put(place: Place, name: string, value: string | number | undefined): string {
    const { text } = this, table = this.find(place), entry = table?.entries.find(one => one.key === name);
    if (value === undefined) return entry ? text.slice(0, entry.line) + text.slice(entry.after) : text;
    const literal = typeof value === "number" ? String(value) : JSON.stringify(value);
    if (entry) return text.slice(0, entry.from) + literal + text.slice(entry.to);
    const line = `${name} = ${literal}\n`;
    if (table) {
      const at = table.entries[table.entries.length - 1]?.after ?? table.after;
      return ended(text.slice(0, at)) + line + text.slice(at);
    }
    const head = place.name === undefined ? `[${place.table}]\n` : `[[${place.table}]]\nname = ${JSON.stringify(place.name)}\n`;
    return ended(text) + (text.trim() === "" ? "" : "\n") + head + line;
  }

  private find({ table, name }: Place): Table | undefined {
    return this.tables.find(one => one.name === table && one.isOneOfMany === (name !== undefined) && (name === undefined || nameOf(one) === name));
  }
}

const nameOf = (table: Table): Scalar | undefined => table.entries.find(one => one.key === "name")?.value;
const ended = (text: string): string => text === "" || text.endsWith("\n") ? text : text + "\n";

/** Walks a text once; gives up where it does not know it. */
class Scanner {
  private at = 0;

  constructor(private readonly text: string) {}

  tables(): Table[] | null {
    const tables: Table[] = [{ name: "", isOneOfMany: false, entries: [], after: 0 }];
    for (;;) {
      this.take(space);
      if (this.at === this.text.length) return tables;
      const begun = this.take(header);
      if (begun) {
        const [, opened, name, closed] = begun;
        if ((opened === "") !== (closed === "") || !this.take(lineEnd)) return null;
        if (tables.some(one => one.name === name && !(one.isOneOfMany && opened))) return null;
        tables.push({ name: name!, isOneOfMany: opened !== "", entries: [], after: this.at });
        continue;
      }
      const entry = this.entry(), table = tables[tables.length - 1]!;
      if (!entry || table.entries.some(one => one.key === entry.key)) return null;
      table.entries.push(entry);
    }
  }

  private entry(): Entry | null {
    const line = this.text.lastIndexOf("\n", this.at - 1) + 1, name = this.take(key)?.[1];
    if (name === undefined) return null;
    const from = this.at, found = this.text[from] === "[" ? this.list() : this.take(scalar);
    if (!found) return null;
    const to = this.at, value = found === true ? null : decoded(found[0] ?? "");
    return this.take(lineEnd) ? { key: name, value, from, to, line, after: this.at } : null;
  }

  private list(): boolean {
    let depth = 0;
    do {
      const part = this.take(inList)?.[0];
      if (part === undefined) return false;
      if (part === "[") depth++;
      if (part === "]") depth--;
    } while (depth > 0);
    return true;
  }

  private take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found) this.at = pattern.lastIndex;
    return found;
  }
}

function decoded(literal: string): Scalar {
  if (literal.startsWith("'")) return literal.slice(1, -1);
  if (literal === "true" || literal === "false") return literal === "true";
  if (/^[+-]?(0|[1-9](_?\d)*)$/.test(literal)) return Number(literal.replace(/_/g, ""));
  if (!literal.startsWith("\"")) return null;
  try {
    return JSON.parse(literal) as string;
  } catch {
    // An escape that only TOML has.
    return null;
  }
}
