import { useState } from "react";
import { client, useMay, useReading } from "../api/Server";
import type { Fault } from "../api/Fault";
import type { Delivery, Diagnosis } from "../api/Schema";
import { Link } from "../app/Router";
import { Badge, type Tone } from "../design/Badge";
import { ActButton } from "../design/Button";
import { FaultNote } from "../design/Fault";
import { Card, Empty, Facts, Page, Read } from "../design/Page";
import { Table } from "../design/Table";
import { newestFirst, useAll } from "../live/Live";
import { useWords } from "../text/Text";
import { Running } from "./BroadcastsPage";
import { Deliveries } from "./Deliveries";
import { HealthHistory } from "./HealthHistory";
import { PhoneHome } from "./PhoneHome";
import { RunningMeetings } from "./RunningMeetings";
import { useEvery } from "./useEvery";

export const healthTones: Record<Diagnosis["status"], Tone> = { healthy: "good", degraded: "warn", unhealthy: "bad" };

/** How the server is and was, what it told others, what is on, and where its errors go: all that whoever looks after it needs to see. */
export function DiagnosticsPage() {
  const { t, number } = useWords();
  const may = useMay();
  const health = useReading("getDiagnosticsHealth", {}), past = useReading("getDiagnosticsSnapshots", { limit: "300" });
  const [fault, setFault] = useState<Fault | null>(null);
  useEvery(10_000, health.again);
  useEvery(60_000, past.again);
  const check = async () => {
    setFault(null);
    await client.call("postDiagnosticsHealth", {});
    health.again();
    past.again();
  };
  return (
    <Page title={t("nav.diagnostics")} badge={health.value && <Badge tone={healthTones[health.value.status]}>{t(`health.${health.value.status}`)}</Badge>}
      actions={<ActButton act={check} failed={setFault}>{t("health.check")}</ActButton>}>
      {fault && <FaultNote fault={fault} />}
      <Read of={health}>{({ probes }) => (
        <Card title={t("health.now")}>
          <Table label={t("health.now")} rows={probes} id={one => one.name} columns={[
            { id: "name", title: t("health.part"), heads: true, cell: one => one.name },
            { id: "state", title: t("state"), cell: one => <Badge tone={healthTones[one.status]}>{t(`health.${one.status}`)}</Badge> },
            { id: "latency", title: t("health.latency"), number: true, cell: one => `${number(one.latencyMs, 1)} ms` },
            { id: "detail", title: t("health.detail"), cell: one => one.detail ?? "" },
          ]} />
        </Card>
      )}</Read>
      <OnAir />
      <RunningMeetings />
      <Told />
      {may("reports.manage") && <><Errors /><PhoneHome /></>}
      <Read of={past}>{first => <HealthHistory first={first} />}</Read>
    </Page>
  );
}

/** The broadcasts that run, and who could send: of this organisation. */
function OnAir() {
  const { t, number } = useWords();
  const broadcasts = useAll("broadcast"), senders = [...useAll("sender").values()], pool = useReading("getPool", {});
  useEvery(10_000, pool.again);
  const running = [...broadcasts.values()].filter(one => one.state !== "ended").sort(newestFirst), hosts = pool.value?.items ?? [];
  const of = (some: number, all: number) => t("home.of", { some: number(some), all: number(all) });
  return (
    <Card title={t("broadcasts.running")}>
      <Facts facts={[
        [t("home.online"), of(senders.filter(one => one.online).length, senders.length)],
        [t("diagnostics.hosts"), pool.value && of(hosts.filter(one => one.online).length, hosts.length)],
      ]} />
      {pool.fault && <FaultNote fault={pool.fault} again={pool.again} />}
      {running.length > 0 ? <Running rows={running} /> : <p className="muted">{t("home.nothing")}</p>}
    </Card>
  );
}

const isFailed = (one: Delivery): boolean => one.state === "failed" || one.state === "retry_exhausted";

/** What webhooks were told: how much of it failed, and what. */
function Told() {
  const { t, number, percent } = useWords();
  const deliveries = useReading("getDiagnosticsDeliveries", {}), webhooks = useReading("getWebhooks", {});
  useEvery(10_000, deliveries.again);
  return (
    <Read of={deliveries}>{({ items }) => {
      const failed = items.filter(isFailed), tried = items.filter(one => isFailed(one) || one.state === "processed").length;
      return <>
        <Card title={t("diagnostics.told")} actions={<Link className="button small" to="/admin/webhooks">{t("nav.webhooks")}</Link>}>
          {tried === 0 ? <Empty title={t("diagnostics.untold")}>{t("webhooks.noneText")}</Empty> : <Facts facts={[
            [t("diagnostics.tried"), number(tried)],
            [t("diagnostics.failed"), number(failed.length)],
            [t("diagnostics.rate"), <span key="rate" className={failed.length > 0 ? "warn" : ""}>{percent(failed.length / tried)}</span>],
          ]} />}
        </Card>
        {failed.length > 0 && <Deliveries title={t("diagnostics.failures")} items={failed} webhooks={webhooks.value?.items ?? []} again={deliveries.again} />}
      </>;
    }}</Read>
  );
}

/** Where the server's errors are told, and the way there. */
function Errors() {
  const { t } = useWords();
  const tracking = useReading("getDiagnosticsErrorTracking", {});
  return (
    <Read of={tracking}>{({ own, vendor }) => (
      <Card title={t("errors.title")} actions={<Link className="button small" to="/admin/organization/errors">{t("diagnostics.settings")}</Link>}>
        <Facts facts={[[t("errors.own"), own ? <Tracker key="own" place={own} /> : t("errors.nobody")], [t("errors.vendor"), vendor ?? t("errors.nobody")]]} />
      </Card>
    )}</Read>
  );
}

/** `errors.example.org, project 4`: its host is where people read them. */
function Tracker({ place }: { place: string }) {
  const host = /^[a-z0-9.:[\]-]+(?=, )/i.exec(place)?.[0];
  return host ? <a href={`https://${host}/`} target="_blank" rel="noreferrer noopener">{place}</a> : <>{place}</>;
}
