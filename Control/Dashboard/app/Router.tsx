import { useSyncExternalStore, type AnchorHTMLAttributes, type MouseEvent } from "react";

const watchers = new Set<() => void>();
const tell = () => { for (const watcher of [...watchers]) watcher(); };
addEventListener("popstate", tell);

/** `/senders/ID` */
export const here = (): string => location.pathname.replace(/\/+$/, "") || "/";

export const usePath = (): string => useSyncExternalStore(watcher => {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}, here);

/** Goes to a page and puts the keyboard at its beginning. */
export function go(path: string, how: "push" | "replace" = "push"): void {
  if (path === location.pathname) return;
  if (how === "push") window.history.pushState(null, "", path); else window.history.replaceState(null, "", path);
  scrollTo(0, 0);
  tell();
  requestAnimationFrame(() => document.querySelector<HTMLElement>("#main")?.focus({ preventScroll: true }));
}

/** What is shown has another address from now on, a tab of its own: nothing else changes, and the keyboard stays where it is. */
export function rename(path: string): void {
  window.history.replaceState(null, "", path);
  tell();
}

type LinkProps = AnchorHTMLAttributes<HTMLAnchorElement> & { to: string };

export function Link({ to, onClick, ...rest }: LinkProps) {
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    // A new tab or window is the browser's.
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(to);
  };
  return <a href={to} onClick={follow} {...rest} />;
}

/** The placeholders' values where a path is of a pattern, `/senders/:id`; else null. */
export function match(pattern: string, path: string): Record<string, string> | null {
  const [wanted, given] = [pattern.split("/"), path.split("/")];
  if (wanted.length !== given.length) return null;
  const found: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    if (part.startsWith(":")) found[part.slice(1)] = given[index]!;
    else if (part !== given[index]) return null;
  }
  return found;
}
