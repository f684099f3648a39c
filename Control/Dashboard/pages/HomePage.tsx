import { useMemo } from "react";
import { useMay } from "../api/Server";
import { Link } from "../app/Router";
import { Badge } from "../design/Badge";
import { Card, Empty, Facts, Page, Skeleton } from "../design/Page";
import { broadcastTone } from "../design/states";
import type { Broadcast } from "../api/Schema";
import { newestFirst, useAll, useIsWhole } from "../live/Live";
import { useWords } from "../text/Text";
import { Elapsed } from "./BroadcastPage";
import { HomeMeetings } from "./HomeMeetings";
import { AddSender, NoSender, SenderCards, useSorted } from "./SendersPage";
import { Thumbnail } from "./Thumbnail";

/** Of those that send nothing: the rest is on the page of senders. */
const most = 12;

/** What is on now, and what could be. */
export function HomePage() {
  const { t, number } = useWords();
  const may = useMay(), isWhole = useIsWhole(), senders = useSorted(), broadcasts = useAll("broadcast");
  const running = useMemo(() => [...broadcasts.values()].filter(one => one.state !== "ended").sort(newestFirst), [broadcasts]);
  const busy = new Set(running.map(one => one.sender)), free = senders.filter(one => !busy.has(one.id));
  if (!isWhole) return <Page title={t("nav.home")}><Skeleton /></Page>;
  return (
    <Page title={t("nav.home")} actions={senders.length > 0 && <AddSender />}>
      {senders.length === 0 && running.length === 0 ? <NoSender /> : <>
        <Card>
          <Facts facts={[
            [t("home.onAir"), number(running.length)],
            [t("home.online"), t("home.of", { some: number(senders.filter(one => one.online).length), all: number(senders.length) })],
            [t("home.troubled"), running.some(one => one.state !== "live" && one.reason) && <span className="warn">{number(running.filter(one => one.state !== "live" && one.reason).length)}</span>],
          ]} />
        </Card>
        <section className="stack" aria-label={t("broadcasts.running")}>
          <h2>{t("broadcasts.running")}</h2>
          {running.length > 0 ? <ul className="cards">{running.map(one => <li key={one.id}><OnNow broadcast={one} /></li>)}</ul>
            : <Empty title={t("home.nothing")}>{t(may("broadcasts.run") ? "broadcasts.noneText" : "home.nothingText")}</Empty>}
        </section>
        {free.length > 0 && <section className="stack" aria-label={t("nav.senders")}>
          <h2>{t("home.free")}</h2>
          <SenderCards senders={free.slice(0, most)} />
          <div className="buttons">
            <Link className="button plain" to="/senders">{t("home.allSenders", { count: number(senders.length) })}</Link>
            <Link className="button plain" to="/senders/map">{t("home.map")}</Link>
          </div>
        </section>}
      </>}
      {may("meetings.view") && <HomeMeetings />}
    </Page>
  );
}

/** A broadcast that runs, in a few words. */
function OnNow({ broadcast }: { broadcast: Broadcast }) {
  const { t, megabits } = useWords();
  const name = useAll("sender").get(broadcast.sender)?.name ?? t("broadcasts.gone");
  const connected = broadcast.outputs.filter(output => output.report?.state === "connected").length;
  return (
    <article className="card sender on">
      <header>
        <h3><Link to={`/broadcasts/${broadcast.id}`}>{name}</Link></h3>
        <Badge tone={broadcastTone[broadcast.state]}>{t(`state.${broadcast.state}`)}</Badge>
      </header>
      <Thumbnail broadcast={broadcast} name={name} />
      <p className="figure">{[broadcast.ingest && megabits(broadcast.ingest.bitrate), t("broadcasts.connected", { connected, all: broadcast.outputs.length })].filter(Boolean).join(" · ")}</p>
      <p className="muted"><Elapsed broadcast={broadcast} /> · {broadcast.outputs.map(one => one.name).join(", ")}</p>
      {broadcast.reason && <p className="warn">{broadcast.reason}</p>}
    </article>
  );
}
