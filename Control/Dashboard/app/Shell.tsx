import { useEffect, useRef, useState } from "react";
import { Icon } from "../design/Icon";
import { ReentryDialog } from "../pages/ReentryDialog";
import { useWords } from "../text/Text";
import { Connection } from "./Connection";
import { Navigation } from "./Navigation";
import { shown } from "./Pages";
import { Link, usePath } from "./Router";
import { Sign } from "./Sign";
import { UserMenu } from "./UserMenu";
import { Warnings } from "./Warnings";

/** What surrounds every page: the navigation, the state of the connection, who is signed in. */
export function Shell({ isExpired }: { isExpired: boolean }) {
  const { t } = useWords();
  const path = usePath();
  const [isOpen, setOpen] = useState(false);
  useEffect(() => setOpen(false), [path]);
  const opener = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!isOpen) return;
    const escape = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      setOpen(false);
      opener.current?.focus();
    };
    document.addEventListener("keydown", escape);
    return () => document.removeEventListener("keydown", escape);
  }, [isOpen]);
  return (
    <div className={`shell${isOpen ? " open" : ""}`}>
      <a className="skip" href="#main">{t("skip")}</a>
      <header className="bar">
        <button type="button" ref={opener} className="bare hamburger" aria-expanded={isOpen} aria-controls="navigation" aria-label={t("menu")} onClick={() => setOpen(!isOpen)}>
          <Icon name={isOpen ? "close" : "menu"} />
        </button>
        <Link className="brand" to="/"><Sign /></Link>
        <Navigation path={path} />
        <Connection />
        <UserMenu />
      </header>
      <main id="main" tabIndex={-1}><Warnings />{shown(path)}</main>
      {isExpired && <ReentryDialog />}
    </div>
  );
}
