import { useReading } from "../api/Server";
import { Badge } from "../design/Badge";
import { Card, Empty, Page, Read } from "../design/Page";
import { Table } from "../design/Table";
import { useWords } from "../text/Text";
import { useEvery } from "./useEvery";

/** The hosts that receive broadcasts. */
export function PoolPage() {
  const { t, ago } = useWords();
  const pool = useReading("getPool", {});
  useEvery(10_000, pool.again);
  return (
    <Page title={t("nav.pool")}>
      <Read of={pool}>{({ items }) => items.length === 0 ? <Empty title={t("pool.none")}>{t("pool.noneText")}</Empty> : (
        <Card>
          <Table label={t("nav.pool")} rows={items} id={one => one.id} columns={[
            { id: "name", title: t("name"), heads: true, cell: one => one.name },
            { id: "state", title: t("state"), cell: one => <Badge tone={!one.online ? "bad" : one.hasRoom ? "good" : "warn"}>{t(!one.online ? "sender.offline" : one.hasRoom ? "pool.room" : "pool.full")}</Badge> },
            { id: "streams", title: t("pool.streams"), number: true, cell: one => one.streams },
            { id: "addresses", title: t("pool.addresses"), cell: one => one.addresses.join(", ") },
            { id: "ports", title: t("pool.ports"), cell: one => one.portRange ? `${one.portRange.first}–${one.portRange.last}` : "–" },
            { id: "version", title: t("sender.version"), cell: one => one.version ?? "–" },
            { id: "seen", title: t("sender.lastSeen"), cell: one => one.online ? "" : one.lastSeenAt ? ago(one.lastSeenAt) : t("senders.never") },
          ]} />
        </Card>
      )}</Read>
    </Page>
  );
}
