import { useEffect, useState } from "react";
import type { Fault } from "../api/Fault";
import { access, asFault, useAccess } from "../api/Server";
import { FaultNote } from "../design/Fault";
import { Skeleton } from "../design/Page";
import { feed } from "../live/Live";
import { EntryPage } from "../pages/EntryPage";
import { dwell } from "./Appearance";
import { begin as beginConfig } from "./Config";
import { open } from "./Pages";
import { go, usePath } from "./Router";
import { Shell } from "./Shell";

/** Finds out who is signed in, and shows the door or the house. */
export function App() {
  const state = useAccess(), path = usePath();
  const [fault, setFault] = useState<Fault | null>(null);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const begin = () => access.renew().then(() => setFault(null), thrown => {
      setFault(asFault(thrown));
      timer = setTimeout(begin, 3000);
    });
    void begin();
    return () => clearTimeout(timer);
  }, []);
  useEffect(() => { void beginConfig(); }, []);
  const isIn = state.is === "in";
  useEffect(() => {
    if (isIn) {
      feed.start();
      feed.now();
    }
    if (state.is === "out") feed.stop();
  }, [isIn, state.is]);
  // Where somebody has come in by the door, they are home.
  useEffect(() => { if (isIn && path === "/login") go("/", "replace"); }, [isIn, path]);
  // Whoever has left still sees whose pages they were.
  const organization = state.is === "in" || state.is === "expired" ? state.session.user.organization : null;
  useEffect(() => { if (organization) dwell(organization); }, [organization]);
  const own = open(path);
  if (own) return <>{own}</>;
  switch (state.is) {
    case "unknown": return <main className="entry">{fault ? <FaultNote fault={fault} /> : <Skeleton />}</main>;
    case "out": return <EntryPage />;
    default: return <Shell isExpired={state.is === "expired"} />;
  }
}
