import { useState } from "react";
import { client } from "../api/Server";
import type { Fault } from "../api/Fault";
import type { HealthSnapshots } from "../api/Schema";
import { Badge } from "../design/Badge";
import { ActButton } from "../design/Button";
import { FaultNote } from "../design/Fault";
import { Card, Empty } from "../design/Page";
import { Table } from "../design/Table";
import { useWords } from "../text/Text";
import { healthTones } from "./DiagnosticsPage";
import { stretches } from "./stretches";

/** How it was, a line for each stretch of time in which it was the same. */
export function HealthHistory({ first }: { first: HealthSnapshots }) {
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
          { id: "state", title: t("state"), cell: one => <Badge tone={healthTones[one.status]}>{t(`health.${one.status}`)}</Badge> },
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
