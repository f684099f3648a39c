import { useSyncExternalStore } from "react";
import type { Fault } from "../api/Fault";
import { useWords } from "../text/Text";
import { words } from "./Fault";
import { Icon } from "./Icon";

type Toast = { number: number; text: string | Fault; isGood: boolean };

let toasts: readonly Toast[] = [];
let next = 0;
const watchers = new Set<() => void>();

function set(changed: readonly Toast[]): void {
  toasts = changed;
  for (const watcher of watchers) watcher();
}

function add(text: string | Fault, isGood: boolean): void {
  const number = ++next;
  set([...toasts.slice(-3), { number, text, isGood }]);
  // What went wrong is read more slowly, and can be closed.
  setTimeout(() => close(number), isGood ? 4000 : 12_000);
}

const close = (number: number) => set(toasts.filter(one => one.number !== number));

/** Says in passing what was done. */
export const tell = (text: string): void => add(text, true);
/** Says in passing what was refused, where it has no place of its own. */
export const tellFault = (fault: Fault): void => add(fault, false);

export function Toasts() {
  const { t } = useWords();
  const shown = useSyncExternalStore(watcher => {
    watchers.add(watcher);
    return () => watchers.delete(watcher);
  }, () => toasts);
  return (
    <div className="toasts" role="status" aria-live="polite">
      {shown.map(({ number, text, isGood }) => (
        <div key={number} className={`toast ${isGood ? "good" : "bad"}`}>
          <Icon name={isGood ? "check" : "warning"} />
          <p>{typeof text === "string" ? text : words(text, t)}</p>
          <button type="button" className="bare" aria-label={t("close")} onClick={() => close(number)}><Icon name="close" /></button>
        </div>
      ))}
    </div>
  );
}
