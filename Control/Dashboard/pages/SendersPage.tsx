import { lazy, Suspense } from "react";
import { useMay } from "../api/Server";
import type { Sender } from "../api/Schema";
import { Link, rename } from "../app/Router";
import { Empty, Page, Skeleton } from "../design/Page";
import { Tabs } from "../design/Tabs";
import { useAll, useIsWhole } from "../live/Live";
import { useWords } from "../text/Text";
import { SenderCard } from "./SenderCard";

const SenderMap = lazy(() => import("./SenderMap"));

/** Those that send come first, those that are away last. */
export function useSorted(): readonly Sender[] {
  const senders = useAll("sender"), broadcasts = useAll("broadcast");
  const busy = new Set([...broadcasts.values()].filter(one => one.state !== "ended").map(one => one.sender));
  const rank = (one: Sender) => (busy.has(one.id) ? 0 : one.online ? 1 : 2);
  return [...senders.values()].sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
}

/** The way to a new sender, of whoever may add one. */
export function AddSender() {
  const { t } = useWords();
  return useMay()("senders.manage") ? <Link className="button primary" to="/admin/enrollment">{t("senders.add")}</Link> : null;
}

export function NoSender() {
  const { t } = useWords();
  return <Empty title={t("senders.none")} action={<AddSender />}>{t(useMay()("senders.manage") ? "senders.noneText" : "senders.noneOther")}</Empty>;
}

export function SenderCards({ senders }: { senders: readonly Sender[] }) {
  return <ul className="cards">{senders.map(one => <li key={one.id}><SenderCard sender={one} /></li>)}</ul>;
}

/** Every sender as it is now, as a list or on the map. */
export function SendersPage({ view }: { view: "list" | "map" }) {
  const { t } = useWords();
  const sorted = useSorted(), isWhole = useIsWhole();
  return (
    <Page title={t("nav.senders")} actions={sorted.length > 0 && <AddSender />}>
      {sorted.length > 0 ? (
        <Tabs label={t("nav.senders")} chosen={view} choose={view => rename(view === "map" ? "/senders/map" : "/senders")} tabs={[
          { id: "list", title: t("senders.list"), body: () => <SenderCards senders={sorted} /> },
          { id: "map", title: t("map.title"), body: () => <Suspense fallback={<Skeleton />}><SenderMap /></Suspense> },
        ]} />
      ) : isWhole ? <NoSender /> : <Skeleton />}
    </Page>
  );
}
