import { useState, type ReactNode } from "react";
import type { Fault } from "../api/Fault";
import type { ServerOffer, ServerUpdateRequest, ServerUpdates } from "../api/Schema";
import { client, useReading } from "../api/Server";
import { Badge } from "../design/Badge";
import { ActButton, Button } from "../design/Button";
import { ConfirmDialog } from "../design/Dialog";
import { FaultNote } from "../design/Fault";
import { Card, Facts, Read } from "../design/Page";
import { Table } from "../design/Table";
import { useWords } from "../text/Text";
import { useEvery } from "./useEvery";

const tones = { installed: "good", failed: "warn", wentBack: "none", restored: "none", stuck: "bad" } as const;

/** What was asked for and nobody has taken up may be asked for again. */
const mayAsk = (one: ServerUpdates) => one.state === "idle" || one.state === "asked";

/** The server's own version: what it is offered, how an update goes, and the way back; for the owner of the organisation that runs it. */
export function ServerUpdate() {
  const { t, time } = useWords();
  const updates = useReading("getServerUpdates", {});
  const [fault, setFault] = useState<Fault | null>(null), [asked, setAsked] = useState<string | null>(null);
  // While something happens it is seen to happen.
  useEvery(updates.value && updates.value.state !== "idle" ? 3_000 : 30_000, updates.again);
  const ask = async (wish: ServerUpdateRequest) => {
    setFault(null);
    await client.call("postServerUpdates", {}, wish);
    updates.again();
  };
  return (
    <Read of={updates}>{one => <>
      <Card title={t("updates.own")} actions={<ActButton small act={() => ask({ move: "check" })} failed={setFault}>{t("updates.check")}</ActButton>}>
        <Facts facts={[
          [t("updates.version"), one.installed], [t("updates.previous"), one.previous ?? t("updates.none")], [t("updates.checked"), one.checkedAt && time(one.checkedAt)],
        ]} />
        {!one.enabled && <p className="muted">{t("updates.off")}</p>}
        {one.checkFault && <p className="warn">{t("updates.checkFault", { reason: one.checkFault })}</p>}
        <Progress of={one} />
        {one.refusal && <p className="warn" role="alert">{one.refusal}</p>}
        {one.offer && <Offer of={one.offer}>
          <ActButton look="primary" disabled={!mayAsk(one) || Boolean(one.offer.refusal)} act={() => ask({ move: "install", version: one.offer?.version })} failed={setFault}>
            {t("updates.install", { version: one.offer.version })}
          </ActButton>
        </Offer>}
        {fault && <FaultNote fault={fault} />}
        {one.previous && <div className="buttons">
          <Button look="grave" disabled={!mayAsk(one)} onClick={() => setAsked("back")}>{t("updates.back", { version: one.previous })}</Button>
        </div>}
        {asked === "back" && one.previous && (
          <ConfirmDialog title={t("updates.back", { version: one.previous })} submit={t("updates.backNow")} typed={one.previous} close={() => setAsked(null)}
            act={() => ask({ move: "back", version: one.previous, confirm: one.previous })}>
            <p>{t("updates.backText")}</p>
          </ConfirmDialog>
        )}
      </Card>
      {one.history.length > 0 && (
        <Card title={t("updates.past")}>
          <Table label={t("updates.past")} rows={one.history} id={entry => `${entry.at} ${entry.result}`} columns={[
            { id: "at", title: t("time"), heads: true, short: true, cell: entry => time(entry.at) },
            { id: "version", title: t("updates.version"), cell: entry => entry.version },
            { id: "from", title: t("updates.from"), cell: entry => entry.from },
            { id: "result", title: t("state"), cell: entry => <Badge tone={tones[entry.result]}>{t(`updates.${entry.result}`)}</Badge> },
            { id: "reason", title: t("updates.reason"), cell: entry => entry.reason ?? "" },
          ]} />
        </Card>
      )}
      {one.copies.length > 0 && one.enabled && (
        <details className="card">
          <summary>{t("updates.advanced")}</summary>
          <p className="warn">{t("updates.restoreText")}</p>
          <Table label={t("updates.copies")} rows={one.copies} id={copy => copy.name} columns={[
            { id: "at", title: t("time"), heads: true, short: true, cell: copy => time(copy.madeAt) },
            { id: "name", title: t("name"), cell: copy => copy.name },
            { id: "act", title: t("actions"), cell: copy => <Button small disabled={!mayAsk(one)} onClick={() => setAsked(copy.name)}>{t("updates.restore")}</Button> },
          ]} />
          {asked !== null && asked !== "back" && (
            <ConfirmDialog title={t("updates.restore")} submit={t("updates.restoreNow")} typed={one.serverName} close={() => setAsked(null)}
              act={() => ask({ move: "restore", copy: asked, confirm: one.serverName })}>
              <p>{t("updates.restoreText")}</p>
              <p>{asked}</p>
            </ConfirmDialog>
          )}
        </details>
      )}
    </>}</Read>
  );
}

/** What is under way, from the first byte to the last step. */
function Progress({ of }: { of: ServerUpdates }) {
  const { t, bytes, number } = useWords();
  const { state, place } = of, version = of.target ?? "";
  if (state === "idle") return null;
  if (state === "fetching") {
    const some = of.fetchedBytes ?? 0, all = of.totalBytes ?? 0;
    return <p role="status">{t("updates.fetching", { version, some: bytes(some), all: bytes(all) })}</p>;
  }
  return (
    <p role="status">
      {t(`updates.${state}`, { version })} {place && t("updates.place", { number: number(place.number), of: number(place.of), title: place.title })}
    </p>
  );
}

/** A release, with what whoever installs it must know. */
function Offer({ of, children }: { of: ServerOffer; children: ReactNode }) {
  const { t, time, bytes, number } = useWords();
  return (
    <section>
      <h3>{t("updates.offer", { version: of.version })} <Badge tone="good">{t("updates.available")}</Badge></h3>
      <Facts facts={[
        [t("updates.channel"), of.channel], [t("updates.released"), time(of.releasedAt)], [t("updates.size"), bytes(of.bytes)],
        [t("updates.migrations"), of.migrations.length > 0 ? of.migrations.map(one => number(one)).join(", ") : t("updates.none")],
      ]} />
      {of.breaking.length > 0 && <><h4>{t("updates.breaking")}</h4><ul>{of.breaking.map(line => <li key={line}>{line}</li>)}</ul></>}
      {of.notes.length > 0 && <ul>{of.notes.map(line => <li key={line}>{line}</li>)}</ul>}
      {of.refusal && <p className="warn">{of.refusal}</p>}
      <div className="buttons">{children}</div>
    </section>
  );
}
