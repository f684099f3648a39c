import { useState } from "react";
import { client, useReading } from "../api/Server";
import type { Fault } from "../api/Fault";
import type { Diagnosis, HealthSnapshots } from "../api/Schema";
import { Badge, type Tone } from "../design/Badge";
import { ActButton } from "../design/Button";
import { FaultNote } from "../design/Fault";
import { Card, Empty, Page, Read } from "../design/Page";
import { Table } from "../design/Table";
import { useWords } from "../text/Text";
import { stretches } from "./stretches";
import { useEvery } from "./useEvery";

const tones: Record<Diagnosis["status"], Tone> = { healthy: "good", degraded: "warn", unhealthy: "bad" };

/** Whether the parts that the server needs answer, now and before. */
export function HealthPage() {
  const { t, number } = useWords();
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
    <Page title={t("nav.health")} badge={health.value && <Badge tone={tones[health.value.status]}>{t(`health.${health.value.status}`)}</Badge>}
      actions={<ActButton act={check} failed={setFault}>{t("health.check")}</ActButton>}>
      {fault && <FaultNote fault={fault} />}
      <Read of={health}>{({ probes }) => (
        <Card>
          <Table label={t("nav.health")} rows={probes} id={one => one.name} columns={[
            { id: "name", title: t("health.part"), heads: true, cell: one => one.name },
            { id: "state", title: t("state"), cell: one => <Badge tone={tones[one.status]}>{t(`health.${one.status}`)}</Badge> },
            { id: "latency", title: t("health.latency"), number: true, cell: one => `${number(one.latencyMs, 1)} ms` },
            { id: "detail", title: t("health.detail"), cell: one => one.detail ?? "" },
          ]} />
        </Card>
      )}</Read>
      <Read of={past}>{first => <History first={first} />}</Read>
    </Page>
  );
}

/** How it was, a line for each stretch of time in which it was the same. */
function History({ first }: { first: HealthSnapshots }) {
  const { t, time, number } = useWords();
  const [earlier, setEarlier] = useState<HealthSnapshots>({ items: [] }), [fault, setFault] = useState<Fault | null>(null);
  const next = earlier.items.length > 0 ? earlier.next : first.next;
  const readOn = async () => {
    setFault(null);
    const part = await client.call("getDiagnosticsSnapshots", { after: next ?? "", limit: "500" });
    setEarlier(before => ({ items: [...before.items, ...part.items], next: part.next }));
  };
  return (
    <Card title={t("health.history")}>
      {first.items.length === 0 ? <Empty title={t("health.none")} /> : (
        <Table label={t("health.history")} rows={stretches([...first.items, ...earlier.items])} id={one => one.id} columns={[
          { id: "from", title: t("health.from"), heads: true, short: true, cell: one => time(one.from) },
          { id: "to", title: t("health.to"), short: true, cell: one => time(one.to) },
          { id: "state", title: t("state"), cell: one => <Badge tone={tones[one.status]}>{t(`health.${one.status}`)}</Badge> },
          { id: "checks", title: t("health.checks"), number: true, cell: one => number(one.checks) },
          { id: "latency", title: t("health.slowest"), number: true, cell: one => `${number(one.slowestMs, 1)} ms` },
          { id: "detail", title: t("health.detail"), cell: one => one.detail },
        ]} />
      )}
      {fault && <FaultNote fault={fault} />}
      {next && <div className="buttons"><ActButton small act={readOn} failed={setFault}>{t("health.earlier")}</ActButton></div>}
    </Card>
  );
}
