import { useSyncExternalStore } from "react";
import type { WordingItem } from "../api/Schema";
import { wording, type Wording } from "./Wording";

const watchers = new Set<() => void>();
let own: Wording = {};

/** Has every page say it so. */
export function speak(items: readonly WordingItem[]): void {
  own = wording(items);
  for (const watcher of [...watchers]) watcher();
}

export const useWording = (): Wording => useSyncExternalStore(watcher => {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}, () => own);
