import { useMay, useReading } from "../api/Server";
import { Link } from "../app/Router";
import { Badge } from "../design/Badge";
import { Card, Facts, Page, Read } from "../design/Page";
import { Table } from "../design/Table";
import { useAll } from "../live/Live";
import { useWords } from "../text/Text";
import { healthTones } from "./DiagnosticsPage";
import { SenderUpdates } from "./SenderUpdates";
import { ServerUpdate } from "./ServerUpdate";

type Program = { id: string; kind: string; version: string; count: number; isNewest: boolean };

/** Which version of what runs, how the server is, and what was upgraded when. */
export function UpdatesPage() {
  const { t, number, time, duration } = useWords();
  const versions = useReading("getDiagnosticsVersions", {}), health = useReading("getDiagnosticsHealth", {}), pool = useReading("getPool", {});
  const senders = [...useAll("sender").values()], may = useMay();
  const programs = (own: string): readonly Program[] => [
    ...counted(t("nav.senders"), senders.map(one => one.agentVersion), own), ...counted(t("nav.pool"), (pool.value?.items ?? []).map(one => one.version), own),
  ];
  return (
    <Page title={t("nav.updates")} badge={health.value && <Badge tone={healthTones[health.value.status]}>{t(`health.${health.value.status}`)}</Badge>}>
      <Read of={versions}>{({ version, uptimeSeconds, upgrades }) => <>
        <Card title={t("updates.server")} actions={<Link className="button small" to="/admin/diagnostics">{t("nav.diagnostics")}</Link>}>
          <Facts facts={[[t("updates.version"), version], [t("updates.uptime"), duration(uptimeSeconds)], [t("updates.schema"), upgrades[0] && number(upgrades[0].step)]]} />
          <p className="muted">{t("updates.text")}</p>
        </Card>
        {may("server.manage") && <ServerUpdate />}
        {may("updates.manage") && <SenderUpdates />}
        <Card title={t("updates.programs")}>
          {programs(version).length === 0 ? <p className="muted">{t("updates.noPrograms")}</p> : (
            <Table label={t("updates.programs")} rows={programs(version)} id={one => one.id} columns={[
              { id: "kind", title: t("updates.what"), heads: true, cell: one => one.kind },
              { id: "version", title: t("updates.version"), cell: one => one.version || t("updates.unknown") },
              { id: "count", title: t("updates.count"), number: true, cell: one => number(one.count) },
              { id: "state", title: t("state"), cell: one => <Badge tone={one.isNewest ? "good" : "warn"}>{t(one.isNewest ? "updates.same" : "updates.other")}</Badge> },
            ]} />
          )}
        </Card>
        <Card title={t("updates.history")}>
          <Table label={t("updates.history")} rows={upgrades} id={one => `${one.step}`} columns={[
            { id: "step", title: t("updates.step"), heads: true, number: true, cell: one => number(one.step) },
            { id: "name", title: t("name"), cell: one => one.name },
            { id: "version", title: t("updates.version"), cell: one => one.version },
            { id: "at", title: t("time"), short: true, cell: one => time(one.appliedAt) },
          ]} />
        </Card>
      </>}</Read>
    </Page>
  );
}

/** How many have which version, those with the server's own first. */
function counted(kind: string, versions: readonly (string | null | undefined)[], own: string): readonly Program[] {
  const counts = new Map<string, number>();
  for (const version of versions) counts.set(version ?? "", (counts.get(version ?? "") ?? 0) + 1);
  return [...counts].map(([version, count]) => ({ id: `${kind} ${version}`, kind, version, count, isNewest: version === own }))
    .sort((a, b) => Number(b.isNewest) - Number(a.isNewest) || a.version.localeCompare(b.version));
}
