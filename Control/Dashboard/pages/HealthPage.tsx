import { useReading } from "../api/Server";
import { Badge, type Tone } from "../design/Badge";
import { Card, Page, Read } from "../design/Page";
import { Table } from "../design/Table";
import { useWords } from "../text/Text";
import { useEvery } from "./useEvery";

const tones: Record<"healthy" | "degraded" | "unhealthy", Tone> = { healthy: "good", degraded: "warn", unhealthy: "bad" };

/** Whether the parts that the server needs answer. */
export function HealthPage() {
  const { t, number } = useWords();
  const health = useReading("getDiagnosticsHealth", {});
  useEvery(10_000, health.again);
  return (
    <Page title={t("nav.health")} badge={health.value && <Badge tone={tones[health.value.status]}>{t(`health.${health.value.status}`)}</Badge>}>
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
    </Page>
  );
}
