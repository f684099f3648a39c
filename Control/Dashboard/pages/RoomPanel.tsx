import type { KeyboardEvent, ReactNode } from "react";
import { Icon } from "../design/Icon";
import { useWords } from "../text/Text";

export type PanelName = "people" | "chat";

/** What stands beside the pictures, one at a time; Escape closes it, and the keyboard goes back to the button that opens it. */
export function RoomPanel({ name, label, title, close, children }: { name: PanelName; label: string; title: string; close: () => void; children: ReactNode }) {
  const { t } = useWords();
  const leave = () => {
    close();
    document.getElementById(`open-${name}`)?.focus();
  };
  const escape = (event: KeyboardEvent) => {
    // A menu within it closes first.
    if (event.key === "Escape" && !event.currentTarget.querySelector(".menu > [aria-expanded=true]")) leave();
  };
  return (
    <aside className={`room-panel ${name}`} id={name} aria-label={label} onKeyDown={escape}>
      <header>
        <h2>{title}</h2>
        <button type="button" className="bare" aria-label={t("close")} onClick={leave}><Icon name="close" /></button>
      </header>
      {children}
    </aside>
  );
}
