import { createContext, useContext, useEffect, useMemo, type ReactNode } from "react";
import { clock } from "../api/Clock";
import { client, useAccess } from "../api/Server";
import { Preferences, usePreferences } from "../app/Preferences";
import { de } from "./de";
import { en, type Key } from "./en";
import { speak, useWording } from "./Spoken";
import type { Wording } from "./Wording";

export type Values = Record<string, string | number>;
export type Translate = (key: Key, values?: Values) => string;
export type Language = "en" | "de";

/** In their own words, for the menu. */
export const languages: Record<Language, string> = { en: "English", de: "Deutsch" };
const catalogues: Record<Language, Record<Key, string>> = { en, de };

/** What the user has chosen, else what the organisation has, else what the browser asks for, else English. @param own BCP 47, or `auto`. */
export function language(chosen: Preferences["language"], own = "auto"): Language {
  if (chosen !== "auto") return chosen;
  const wanted = [own, ...navigator.languages].map(one => one.slice(0, 2).toLowerCase()).find(one => one in catalogues);
  return (wanted ?? "en") as Language;
}

/** As the catalogue has it. */
export const original = (language: Language, key: Key): string => catalogues[language][key];

export function translate(language: Language, key: Key, values: Values = {}, own: Wording = {}): string {
  return (own[language]?.[key] ?? original(language, key)).replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
}

export class Words {
  constructor(readonly language: Language, private readonly own: Wording = {}) {}

  t: Translate = (key, values) => translate(this.language, key, values, this.own);

  // Arrows, as pages take them apart.
  number = (value: number, digits = 0): string =>
    new Intl.NumberFormat(this.language, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);

  megabits = (bits: number): string => `${this.number(bits / 1e6, bits < 9.95e6 ? 2 : 1)} Mbit/s`;
  milliseconds = (ms: number): string => `${this.number(ms)} ms`;
  /** A share, 0 to 1. */
  percent = (share: number): string => `${this.number(share * 100, share > 0 && share < 0.0995 ? 1 : 0)} %`;
  /** In binary units, as data plans are told. */
  bytes = (bytes: number): string =>
    bytes < 2 ** 30 ? `${this.number(bytes / 2 ** 20, 1)} MiB` : `${this.number(bytes / 2 ** 30, 2)} GiB`;

  time = (text: string): string => new Date(text).toLocaleString(this.language, { dateStyle: "medium", timeStyle: "short", hourCycle: "h23" });

  /** `2026-11-15`, whatever the browser's zone. */
  day = (text: string): string => new Date(`${text}T00:00:00Z`).toLocaleDateString(this.language, { dateStyle: "medium", timeZone: "UTC" });
  /** To the second, of what may lie close together. */
  moment = (unixMs: number): string => new Date(unixMs).toLocaleString(this.language, { dateStyle: "short", timeStyle: "medium", hourCycle: "h23" });

  /** To the minute, of today. */
  hour = (unixMs: number): string => new Date(unixMs).toLocaleTimeString(this.language, { timeStyle: "short", hourCycle: "h23" });

  /** `1:02:03`, `4:05`. */
  duration = (seconds: number): string => {
    const whole = Math.max(0, Math.floor(seconds)), two = (value: number) => String(value).padStart(2, "0");
    const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
    return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
  };

  /** `3 minutes ago`. */
  ago = (text: string, now = clock.now()): string => {
    const seconds = (Date.parse(text) - now) / 1000;
    const format = new Intl.RelativeTimeFormat(this.language, { numeric: "auto" });
    for (const [unit, size] of [["day", 86_400], ["hour", 3600], ["minute", 60]] as const) {
      if (Math.abs(seconds) >= size) return format.format(Math.round(seconds / size), unit);
    }
    return format.format(Math.round(Math.min(0, seconds)), "second");
  };
}

const Context = createContext(new Words("en"));
export const useWords = (): Words => useContext(Context);

export function TextProvider({ children }: { children: ReactNode }) {
  const preferences = usePreferences(), access = useAccess();
  const own = access.is === "in" || access.is === "expired" ? access.session.user.organization.locale : null;
  const wording = useWording(), spoken = language(preferences.language, own ?? "auto");
  const organization = access.is === "in" || access.is === "expired" ? access.session.user.organization.id : null;
  useEffect(() => {
    if (organization === null) return;
    let isOver = false;
    // Where they cannot be read the catalogue's stand, which say the same.
    client.call("getOrganizationWording", {}).then(({ items }) => { if (!isOver) speak(items); }, () => undefined);
    return () => { isOver = true; };
  }, [organization]);
  const words = useMemo(() => new Words(spoken, wording), [spoken, wording]);
  return <Context.Provider value={words}>{children}</Context.Provider>;
}
