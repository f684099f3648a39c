import { Chart } from "../charts/Chart";
import type { Broadcast, PathReport, Sender } from "../api/Schema";
import { Card } from "../design/Page";
import { Table } from "../design/Table";
import { history } from "../live/Live";
import { useWords } from "../text/Text";

/** The link that a path comes from, where a mobile network has not exchanged its address and no two links have it. */
function linkOf(path: PathReport, sender: Sender | undefined): string | undefined {
  const address = path.source.replace(/:[0-9]+$/, "").replace(/^\[(.*)\]$/, "$1");
  const links = (sender?.inventory.links ?? []).filter(link => link.addresses.includes(address));
  return links.length === 1 ? links[0]!.name : undefined;
}

/** The links as the receiver sees them, by the addresses that they come from. */
export function Paths({ broadcast, sender }: { broadcast: Broadcast; sender: Sender | undefined }) {
  const { t, megabits, milliseconds, percent } = useWords();
  const paths = broadcast.ingest?.paths ?? [];
  if (paths.length === 0) return null;
  return (
    <Card title={t("paths.title")}>
      <Table label={t("paths.title")} rows={paths} id={path => path.source} columns={[
        { id: "source", title: t("paths.source"), heads: true, cell: path => { const link = linkOf(path, sender); return <>{link}{link && " "}<span className={link ? "muted" : ""}>{path.source}</span></>; } },
        { id: "rate", title: t("bond.received"), number: true, cell: path => megabits(path.bitrate) },
        { id: "minute", title: t("paths.minute"), cell: path => (
          <Chart label={t("paths.chart", { source: linkOf(path, sender) ?? path.source })} floor={500_000} height={32} scale={megabits}
            curves={() => [{ series: history.one(`${broadcast.id}/path/${path.source}/rate`), look: "area" }]} />
        ) },
        { id: "rtt", title: t("links.rtt"), number: true, cell: path => path.rttMs != null ? milliseconds(path.rttMs) : "–" },
        { id: "loss", title: t("paths.loss"), number: true, cell: path => path.loss != null ? percent(path.loss) : "–" },
      ]} />
    </Card>
  );
}
