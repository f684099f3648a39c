import { useSyncExternalStore } from "react";
import type { Branding } from "../api/Schema";
import { isDarkByItself, properties } from "../design/Theme";

/** Whose pages these are, and what they have chosen to look like; null while nobody knows. */
export type House = { name: string; branding?: Branding | null };
type Theme = "auto" | "light" | "dark";

const watchers = new Set<() => void>();
const worn = new WeakMap<HTMLElement, readonly string[]>();
let house: House | null = null, theme: Theme = "auto";

/** Gives an element custom properties in place of those that it was given before. */
export function wear(element: HTMLElement, properties: Record<string, string>): void {
  for (const name of worn.get(element) ?? []) if (!(name in properties)) element.style.removeProperty(name);
  for (const [name, value] of Object.entries(properties)) element.style.setProperty(name, value);
  worn.set(element, Object.keys(properties));
}

/** What the user has chosen, else what the organisation has, else what the system says. */
function isDark(): boolean {
  if (theme !== "auto") return theme === "dark";
  return house?.branding ? isDarkByItself(house.branding) : matchMedia("(prefers-color-scheme: dark)").matches;
}

function icon(address: string | null): void {
  let link = document.querySelector<HTMLLinkElement>("link[rel=icon]");
  if (!address) {
    link?.remove();
    return;
  }
  if (!link) {
    link = document.createElement("link");
    link.rel = "icon";
    document.head.append(link);
  }
  if (link.getAttribute("href") !== address) link.href = address;
}

/** Light or dark, as the style sheet reads it from the root element, and the organisation's tokens over it. @param chosen by the user. */
export function appear(chosen: Theme): void {
  theme = chosen;
  const dark = isDark(), branding = house?.branding ?? null;
  const root = document.documentElement, tokens: Record<string, string> = branding ? properties(branding, dark) : {};
  root.dataset.theme = dark ? "dark" : "light";
  wear(root, tokens);
  // For what draws by itself and has to be told.
  root.dataset.accent = tokens["--accent"] ?? "";
  icon(branding?.icon ?? null);
}

/** Shows the pages as this organisation wants them. */
export function dwell(next: House | null): void {
  house = next;
  appear(theme);
  for (const watcher of [...watchers]) watcher();
}

export const useHouse = (): House | null => useSyncExternalStore(watcher => {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}, () => house);
