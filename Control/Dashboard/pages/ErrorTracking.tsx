import { useState } from "react";
import type { Fault } from "../api/Fault";
import { client, useReading } from "../api/Server";
import { ActButton } from "../design/Button";
import { FaultNote } from "../design/Fault";
import { TextField } from "../design/Field";
import { Card, Facts, Read } from "../design/Page";
import { Table } from "../design/Table";
import { useWords } from "../text/Text";
import { useEvery } from "./useEvery";

/** Where the server's errors are told, for the owner of the organisation that runs it. */
export function ErrorTrackingTab() {
  const { t, number } = useWords();
  const tracking = useReading("getDiagnosticsErrorTracking", {});
  const [dsn, setDSN] = useState(""), [fault, setFault] = useState<Fault | null>(null);
  useEvery(10_000, tracking.again);
  const put = async (dsn: string) => {
    setFault(null);
    await client.call("putDiagnosticsErrorTracking", {}, { dsn });
    setDSN("");
    tracking.again();
  };
  return (
    <Read of={tracking}>{({ own, vendor, trackers }) => (
      <Card title={t("errors.title")}>
        <p className="muted">{t("errors.text")}</p>
        <Facts facts={[[t("errors.own"), own ?? t("errors.nobody")], [t("errors.vendor"), vendor ?? t("errors.nobody")]]} />
        {(own || vendor) && (
          <Table label={t("errors.title")} rows={trackers.filter(one => one.whose === "own" ? own : vendor)} id={one => one.whose} columns={[
            { id: "whose", title: t("errors.tracker"), heads: true, cell: one => t(`errors.${one.whose}`) },
            { id: "taken", title: t("errors.taken"), number: true, cell: one => number(one.taken) },
            { id: "waiting", title: t("errors.waiting"), number: true, cell: one => number(one.waiting) },
            { id: "lost", title: t("errors.lost"), number: true, cell: one => number(one.refused + one.dropped) },
          ]} />
        )}
        <div className="stack narrow">
          <TextField label={t("errors.dsn")} hint={t("errors.dsnHint")} name="dsn" value={dsn} set={setDSN} maxLength={500} autoComplete="off" autoCapitalize="off" spellCheck={false} error={fault?.about("dsn")} />
        </div>
        {fault && <FaultNote fault={fault} />}
        <div className="buttons">
          {own && <ActButton act={() => put("")} failed={setFault}>{t("errors.remove")}</ActButton>}
          <ActButton look="primary" disabled={dsn.trim() === ""} act={() => put(dsn.trim())} failed={setFault} done={t("saved")}>{t("save")}</ActButton>
        </div>
      </Card>
    )}</Read>
  );
}
