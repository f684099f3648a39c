import { client, useMay, useReading } from "../api/Server";
import type { Host } from "../api/Schema";
import { Link } from "../app/Router";
import { Badge, type Tone } from "../design/Badge";
import { ActButton } from "../design/Button";
import { Card, Empty, Page, Read } from "../design/Page";
import { Table, type Column } from "../design/Table";
import { tellFault } from "../design/Toast";
import { useAll } from "../live/Live";
import { useWords } from "../text/Text";
import { useEvery } from "./useEvery";

/** The hosts that receive broadcasts; whoever looks after the pool sees all that is on them, and drains them. */
export function PoolPage() {
  const { t, number, percent } = useWords();
  const keeps = useMay()("pool.manage"), pool = useReading("getPool", {});
  useEvery(5_000, pool.again);
  const drain = async (one: Host) => { await client.call("patchPoolById", { id: one.id }, { draining: !one.draining }); pool.again(); };
  const kept: Column<Host>[] = [
    { id: "use", title: t("pool.use"), number: true, cell: one => t("pool.taken", { streams: number(one.allStreams ?? 0), capacity: number(one.capacity ?? 0) }) },
    { id: "load", title: t("pool.load"), number: true, cell: one => one.cpuPercent != null ? percent(one.cpuPercent / 100) : "–" },
  ];
  const act: Column<Host> = { id: "act", title: t("actions"), cell: one => (
    <ActButton small look={one.draining ? "plain" : "quiet"} act={() => drain(one)} failed={tellFault} aria-label={t(one.draining ? "pool.takeBackOf" : "pool.drainOf", { name: one.name })}>
      {t(one.draining ? "pool.takeBack" : "pool.drain")}
    </ActButton>
  ) };
  return (
    <Page title={t("nav.pool")}>
      <Read of={pool}>{({ items }) => items.length === 0 ? <Empty title={t("pool.none")}>{t("pool.noneText")}</Empty> : (
        <Card>
          {keeps && <p className="muted">{t("pool.drainText")}</p>}
          <Table label={t("nav.pool")} rows={items} id={one => one.id} columns={[
            { id: "name", title: t("name"), heads: true, cell: one => one.name },
            { id: "state", title: t("state"), cell: one => <State host={one} /> },
            { id: "streams", title: t("pool.streams"), cell: one => <Streams host={one} /> },
            ...(keeps ? kept : []),
            { id: "addresses", title: t("pool.addresses"), cell: one => <>{one.addresses.join(", ")}{one.portRange && <span className="muted"> {one.portRange.first}–{one.portRange.last}</span>}</> },
            { id: "version", title: t("sender.version"), cell: one => one.version ?? "–" },
            ...(keeps ? [act] : []),
          ]} />
        </Card>
      )}</Read>
    </Page>
  );
}

function State({ host }: { host: Host }) {
  const { t, ago, number } = useWords();
  const [tone, text]: [Tone, string] =
    !host.online ? ["bad", t("sender.offline")]
    : host.draining ? ["warn", t("pool.draining")]
    : host.hasRoom ? ["good", t("pool.room")] : ["warn", t("pool.full")];
  return <>
    <Badge tone={tone}>{text}</Badge>
    {host.draining && <span className="muted"> {t("pool.left", { streams: number(host.allStreams ?? host.streams) })}</span>}
    {!host.online && <span className="muted"> {host.lastSeenAt ? ago(host.lastSeenAt) : t("senders.never")}</span>}
  </>;
}

/** The organisation's own broadcasts on a host. */
function Streams({ host }: { host: Host }) {
  const { t } = useWords();
  const broadcasts = useAll("broadcast"), senders = useAll("sender");
  const own = [...broadcasts.values()].filter(one => one.receiver?.host === host.id && one.state !== "ended");
  if (own.length === 0) return <>{host.streams}</>;
  return <>{own.map(one => (
    <div key={one.id}><Link to={`/broadcasts/${one.id}`}>{senders.get(one.sender)?.name ?? t("broadcasts.gone")}</Link></div>
  ))}</>;
}
