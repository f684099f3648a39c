import { useReading } from "../api/Server";
import { Bar } from "../design/Bar";
import { Card, Facts, Page, Read } from "../design/Page";
import { Table } from "../design/Table";
import { useWords } from "../text/Text";
import { useEvery } from "./useEvery";

/** What the organisation's files take, how long things are kept, and how full the server's disk is for those who look after it. */
export function StoragePage() {
  const { t, bytes, number } = useWords();
  const storage = useReading("getOrganizationStorage", {});
  useEvery(30_000, storage.again);
  return (
    <Page title={t("nav.storage")}>
      <Read of={storage}>{({ areas, used, limit, deliveryDays, healthDays, disk }) => <>
        <Card title={t("storage.files")}>
          <Bar label={t("usage.storage")} value={used} most={limit} words={t("home.of", { some: bytes(used), all: bytes(limit) })} />
          <Table label={t("storage.files")} rows={areas} id={one => one.name} columns={[
            { id: "area", title: t("storage.area"), heads: true, cell: one => t(`storage.area.${one.name}`) },
            { id: "files", title: t("usage.files"), number: true, cell: one => number(one.files) },
            { id: "bytes", title: t("storage.size"), number: true, cell: one => bytes(one.bytes) },
          ]} />
        </Card>
        <Card title={t("storage.kept")}>
          <p className="muted">{t("storage.keptText")}</p>
          <Facts facts={[
            [t("storage.recorders"), t("analytics.days", { count: 30 })],
            [t("storage.deliveries"), t("analytics.days", { count: number(deliveryDays) })],
            [t("storage.health"), t("analytics.days", { count: number(healthDays) })],
          ]} />
        </Card>
        {disk && (
          <Card title={t("storage.disk")}>
            <Bar label={t("storage.full")} value={disk.total - disk.free} most={disk.total} words={t("home.of", { some: bytes(disk.total - disk.free), all: bytes(disk.total) })} />
            <Facts facts={[[t("storage.free"), bytes(disk.free)], [t("storage.database"), bytes(disk.database)], [t("storage.copies"), bytes(disk.copies)]]} />
          </Card>
        )}
      </>}</Read>
    </Page>
  );
}
