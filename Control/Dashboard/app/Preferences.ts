import { useSyncExternalStore } from "react";
import { appear } from "./Appearance";

/** What this browser was told; `auto` is what its own settings say. Nothing in it is secret. */
export type Preferences = { theme: "auto" | "light" | "dark"; language: "auto" | "en" | "de" };

const place = "strata.preferences";
const themes = ["auto", "light", "dark"], languages = ["auto", "en", "de"];
const watchers = new Set<() => void>();
let current: Preferences = read();

function read(): Preferences {
  let stored: Partial<Preferences> = {};
  try {
    stored = JSON.parse(localStorage.getItem(place) ?? "{}") as Partial<Preferences>;
  } catch {
    // Storage is closed to us, or holds something else: as if nothing had been chosen.
  }
  return {
    theme: themes.includes(stored.theme ?? "") ? stored.theme! : "auto",
    language: languages.includes(stored.language ?? "") ? stored.language! : "auto",
  };
}

const show = (): void => appear(current.theme);

show();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  show();
  for (const watcher of watchers) watcher();
});

export function prefer(change: Partial<Preferences>): void {
  current = { ...current, ...change };
  try {
    localStorage.setItem(place, JSON.stringify(current));
  } catch {
    // It holds until the page is left.
  }
  show();
  for (const watcher of watchers) watcher();
}

export const usePreferences = (): Preferences => useSyncExternalStore(watcher => {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}, () => current);
