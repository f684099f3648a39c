import { useEffect, useRef, useState, type ReactNode } from "react";

type Props = {
  button: ReactNode;
  label: string;
  look?: "menu" | "managing";
  children: (close: () => void) => ReactNode;
  /** Where something else opens it too. */
  shown?: readonly [isOpen: boolean, set: (isOpen: boolean) => void];
};

/** A button that opens a panel below it; Escape, a press elsewhere and leaving with the keyboard close it. */
export function Menu({ button, label, look = "menu", children, shown }: Props) {
  const own = useState(false), [isOpen, setOpen] = shown ?? own, element = useRef<HTMLDivElement>(null), opener = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!isOpen) return;
    const away = (event: Event) => { if (!element.current?.contains(event.target as Node)) setOpen(false); };
    const escape = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      setOpen(false);
      opener.current?.focus();
    };
    document.addEventListener("pointerdown", away);
    document.addEventListener("focusin", away);
    document.addEventListener("keydown", escape);
    return () => {
      document.removeEventListener("pointerdown", away);
      document.removeEventListener("focusin", away);
      document.removeEventListener("keydown", escape);
    };
  }, [isOpen, setOpen]);
  return (
    <div className={look} ref={element}>
      <button type="button" className="bare" ref={opener} aria-expanded={isOpen} aria-label={label} onClick={() => setOpen(!isOpen)}>{button}</button>
      {isOpen && <div className="panel">{children(() => setOpen(false))}</div>}
    </div>
  );
}
