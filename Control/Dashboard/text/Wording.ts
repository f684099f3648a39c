import type { WordingItem } from "../api/Schema";
import { en, type Key } from "./en";

/** An organisation's own words, by language and name. */
export type Wording = Record<string, Partial<Record<Key, string>>>;

/** The placeholders of a text. */
export const holes = (text: string): readonly string[] => [...text.matchAll(/\{(\w+)\}/g)].map(match => match[1]!).sort();

/** Of what was read, what is a text of ours and asks for nothing that it is not given. */
export function wording(items: readonly WordingItem[]): Wording {
  const result: Wording = {};
  for (const { locale, key, text } of items) {
    if (!Object.hasOwn(en, key)) continue;
    const known = holes(en[key as Key]);
    if (holes(text).every(hole => known.includes(hole))) (result[locale.slice(0, 2)] ??= {})[key as Key] = text;
  }
  return result;
}
