import { useId, useRef, type KeyboardEvent, type ReactNode } from "react";

export type Tab = { id: string; title: string; body: () => ReactNode };

/** Tabs by the pattern of WAI-ARIA: arrows, Home and End move between them. */
export function Tabs({ label, tabs, chosen, choose }: { label: string; tabs: readonly Tab[]; chosen: string; choose: (id: string) => void }) {
  const prefix = useId(), list = useRef<HTMLDivElement>(null);
  const current = tabs.find(tab => tab.id === chosen) ?? tabs[0]!;
  const move = (event: KeyboardEvent) => {
    const at = tabs.indexOf(current), last = tabs.length - 1;
    const to = { ArrowRight: at === last ? 0 : at + 1, ArrowLeft: at === 0 ? last : at - 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    choose(tabs[to]!.id);
    list.current?.querySelectorAll<HTMLElement>("[role=tab]")[to]?.focus();
  };
  return (
    <>
      <div className="tabs" role="tablist" aria-label={label} ref={list} onKeyDown={move}>
        {tabs.map(tab => (
          <button key={tab.id} type="button" role="tab" id={`${prefix}${tab.id}`} aria-selected={tab === current} aria-controls={`${prefix}panel`}
            tabIndex={tab === current ? 0 : -1} onClick={() => choose(tab.id)}>{tab.title}</button>
        ))}
      </div>
      <div role="tabpanel" id={`${prefix}panel`} aria-labelledby={`${prefix}${current.id}`} className="stack">{current.body()}</div>
    </>
  );
}
