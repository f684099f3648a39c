import { useMemo } from "react";
import type { Broadcast } from "../api/Schema";
import { Link } from "../app/Router";
import { Badge } from "../design/Badge";
import { Card, Empty, Page, Skeleton } from "../design/Page";
import { broadcastTone } from "../design/states";
import { Table, type Column } from "../design/Table";
import { newestFirst, useAll, useIsWhole } from "../live/Live";
import { useWords } from "../text/Text";
import { Elapsed } from "./BroadcastPage";
import { Thumbnail } from "./Thumbnail";

/** What is on its way now, and what was. */
export function BroadcastsPage() {
  const { t } = useWords();
  const broadcasts = useAll("broadcast"), isWhole = useIsWhole();
  const sorted = useMemo(() => [...broadcasts.values()].sort(newestFirst), [broadcasts]);
  const running = sorted.filter(one => one.state !== "ended"), ended = sorted.filter(one => one.state === "ended");
  if (!isWhole) return <Page title={t("nav.broadcasts")}><Skeleton /></Page>;
  return (
    <Page title={t("nav.broadcasts")}>
      {sorted.length === 0 && <Empty title={t("broadcasts.none")} action={<Link className="button primary" to="/senders">{t("nav.senders")}</Link>}>{t("broadcasts.noneText")}</Empty>}
      {running.length > 0 && <Card title={t("broadcasts.running")}><Running rows={running} /></Card>}
      {ended.length > 0 && <Card title={t("broadcasts.ended")}><List rows={ended} label={t("broadcasts.ended")} isOver /></Card>}
    </Page>
  );
}

/** Whether it is there, for how long, and how often it had to be started again. */
function Receiver({ broadcast: { receiver, ingest } }: { broadcast: Broadcast }) {
  const { t, duration } = useWords();
  if (!ingest || receiver?.uptimeSeconds == null) return <Badge tone="none">{t("broadcasts.noReceiver")}</Badge>;
  return <>
    <Badge tone={ingest.state === "flowing" ? "good" : "warn"}>{t("broadcast.receiverFor", { time: duration(receiver.uptimeSeconds) })}</Badge>
    {receiver.restarts ? <span className="warn"> {t("broadcast.restarts", { count: receiver.restarts })}</span> : ""}
  </>;
}

/** Those that are on now. */
export function Running({ rows }: { rows: readonly Broadcast[] }) {
  return <List rows={rows} label={useWords().t("broadcasts.running")} isOver={false} />;
}

function List({ rows, label, isOver }: { rows: readonly Broadcast[]; label: string; isOver: boolean }) {
  const { t, time, megabits, number } = useWords();
  const senders = useAll("sender");
  const name = (one: Broadcast) => senders.get(one.sender)?.name ?? t("broadcasts.gone");
  const running: Column<Broadcast>[] = [
    { id: "preview", title: t("broadcast.picture"), bare: true, cell: one => <Thumbnail broadcast={one} name={name(one)} /> },
    { id: "state", title: t("state"), cell: one => <>
      <Badge tone={broadcastTone[one.state]}>{t(`state.${one.state}`)}</Badge>
      {one.ingest?.slateMs != null && <span className="warn"> {t("broadcast.slateFor", { seconds: number(one.ingest.slateMs / 1000) })}</span>}
    </> },
    { id: "duration", title: t("broadcast.duration"), number: true, cell: one => <Elapsed broadcast={one} /> },
    { id: "receiver", title: t("broadcast.receiver"), cell: one => <Receiver broadcast={one} /> },
    { id: "received", title: t("bond.received"), number: true, cell: one => one.ingest ? megabits(one.ingest.bitrate) : "–" },
    { id: "outputs", title: t("outputs.title"), number: true, cell: one => t("broadcasts.connected", { connected: one.outputs.filter(output => output.report?.state === "connected").length, all: one.outputs.length }) },
  ];
  const over: Column<Broadcast>[] = [
    { id: "started", title: t("broadcast.started"), short: true, cell: one => time(one.createdAt) },
    { id: "duration", title: t("broadcast.duration"), number: true, cell: one => <Elapsed broadcast={one} /> },
    { id: "reason", title: t("reason"), cell: one => one.reason ?? "" },
  ];
  return <Table label={label} rows={rows} id={one => one.id} columns={[
    { id: "sender", title: t("broadcast.sender"), heads: true, cell: one => <Link to={`/broadcasts/${one.id}`}>{name(one)}</Link> },
    ...(isOver ? over : running),
  ]} />;
}
