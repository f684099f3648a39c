import { useEffect, type ReactNode } from "react";
import { Sign } from "../app/Sign";

/** What somebody sees who is not in: one card, and nothing around it. */
export function Door({ title, children }: { title: string; children: ReactNode }) {
  useEffect(() => { document.title = `${title} · Strata`; }, [title]);
  return (
    <main className="entry">
      <p className="brand"><Sign /></p>
      <section className="card"><h1>{title}</h1>{children}</section>
    </main>
  );
}

/** The token of a link that was mailed: it stands behind the `#`, which no server is sent, and is out of the address bar at once. */
export function mailedToken(): string {
  const token = new URLSearchParams(location.hash.slice(1)).get("token") ?? "";
  if (location.hash !== "") window.history.replaceState(null, "", location.pathname);
  return token;
}
