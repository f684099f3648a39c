import { useState } from "react";
import { client, useMay, useReading } from "../api/Server";
import type { Broadcast } from "../api/Schema";
import { Nowhere } from "../app/Pages";
import { Link } from "../app/Router";
import { Badge } from "../design/Badge";
import { ActButton, Button } from "../design/Button";
import { ConfirmDialog } from "../design/Dialog";
import { Card, Facts, Page, Read, Skeleton } from "../design/Page";
import { broadcastTone } from "../design/states";
import { tellFault } from "../design/Toast";
import { useIsWhole, useOne } from "../live/Live";
import { useWords } from "../text/Text";
import { BondCharts } from "./BondCharts";
import { BroadcastChange } from "./BroadcastChange";
import { LinkCharts } from "./LinkCharts";
import { Alarms, Meters } from "./Meters";
import { Outputs } from "./Outputs";
import { Paths } from "./Paths";
import { Preview } from "./Preview";
import { Steps } from "./Steps";
import { Thumbnail } from "./Thumbnail";
import { Timeline } from "./Timeline";
import { useNow } from "./useEvery";

/** One broadcast: how it is, and what a producer does with it. */
export function BroadcastPage({ id }: { id: string }) {
  const told = useOne("broadcast", id), isWhole = useIsWhole();
  if (told) return <Shown broadcast={told} />;
  return isWhole ? <Older id={id} /> : <Skeleton />;
}

/** The feed has the last hundred; one from before is read. */
function Older({ id }: { id: string }) {
  const reading = useReading("getBroadcastsById", { id });
  if (reading.fault?.kind === "not-found") return <Nowhere />;
  return <Read of={reading}>{broadcast => <Shown broadcast={broadcast} />}</Read>;
}

function Shown({ broadcast }: { broadcast: Broadcast }) {
  const { t } = useWords();
  const may = useMay(), sender = useOne("sender", broadcast.sender);
  const [isAsked, setAsked] = useState(false), [isChanging, setChanging] = useState(false);
  const isOver = broadcast.state === "ended", isStopping = broadcast.state === "stopping";
  const stop = () => client.call("postBroadcastsByIdStop", { id: broadcast.id });
  const name = sender?.name ?? t("broadcasts.gone");
  return (
    <Page title={name} back={{ to: "/broadcasts", text: t("nav.broadcasts") }} badge={<Badge tone={broadcastTone[broadcast.state]}>{t(`state.${broadcast.state}`)}</Badge>} actions={<>
      <ActButton look="quiet" act={() => download(broadcast.id)} failed={tellFault} done={t("saved")}>{t("broadcast.recorder")}</ActButton>
      {sender && <Link className="button quiet" to={`/senders/${sender.id}`}>{t("broadcast.sender")}</Link>}
      {may("broadcasts.run") && !isOver && <Button onClick={() => setChanging(true)} disabled={isStopping}>{t("broadcast.change")}</Button>}
      {may("broadcasts.run") && !isOver && <Button look="grave" className="stop" disabled={isStopping} onClick={() => setAsked(true)}>{t(isStopping ? "broadcast.stopping" : "broadcast.stop")}</Button>}
      {may("broadcasts.run") && isOver && sender && <Link className="button primary" to={`/senders/${sender.id}/start`}>{t("broadcast.restart")}</Link>}
    </>}>
      {broadcast.reason && !isOver && <Card tone={broadcast.state === "live" ? undefined : broadcast.state === "degraded" ? "warn" : "bad"}><p className="reason">{broadcast.reason}</p></Card>}
      {(broadcast.notes ?? []).map(note => <Card key={note} tone="warn"><p>{note}</p></Card>)}
      {!isOver && <Alarms broadcast={broadcast} />}
      {broadcast.state === "starting" && <Steps broadcast={broadcast} />}
      <Summary broadcast={broadcast} name={name} />
      {!isOver && broadcast.state !== "starting" && <Preview broadcast={broadcast.id} name={name} />}
      {!isOver && <Meters broadcast={broadcast} />}
      {!isOver && <BondCharts broadcast={broadcast} />}
      <Outputs broadcast={broadcast} />
      {!isOver && sender && <section className="stack"><h2>{t("sender.links")}</h2><LinkCharts sender={sender} /></section>}
      {!isOver && <Paths broadcast={broadcast} sender={sender} />}
      <Timeline broadcast={broadcast} />
      {isAsked && (
        <ConfirmDialog title={t("broadcast.stopTitle", { name })} submit={t("broadcast.stop")} close={() => setAsked(false)} act={stop}>
          <p>{t(broadcast.state === "starting" ? "broadcast.stopEarly" : "broadcast.stopText", { names: broadcast.outputs.map(one => one.name).join(", ") || "–" })}</p>
        </ConfirmDialog>
      )}
      {isChanging && sender && <BroadcastChange broadcast={broadcast} sender={sender} close={() => setChanging(false)} />}
    </Page>
  );
}

function Summary({ broadcast, name }: { broadcast: Broadcast; name: string }) {
  const { t, duration, megabits, milliseconds, number, time } = useWords();
  const { ingest, encoder, receiver } = broadcast;
  const packets = ingest && t(ingest.deliveredPacketsTotal == null ? "broadcast.lost" : "broadcast.lostOf", {
    lost: number(ingest.lostPacketsTotal), recovered: number(ingest.recoveredPacketsTotal),
    all: number(ingest.lostPacketsTotal + (ingest.deliveredPacketsTotal ?? 0)),
  });
  return (
    <Card>
      <div className="overview">
        {!broadcast.endedAt && <Thumbnail broadcast={broadcast} name={name} />}
        <Facts facts={[
          [t("broadcast.duration"), broadcast.state !== "starting" && <Elapsed broadcast={broadcast} />],
          [t("broadcast.started"), time(broadcast.createdAt)],
          [t("broadcast.ended"), broadcast.endedAt && time(broadcast.endedAt)],
          [t("reason"), broadcast.state === "ended" && broadcast.reason],
          [t("broadcast.picture"), ingest?.width ? `${ingest.width}×${ingest.height}, ${encoder.codec}` : `${encoder.width}×${encoder.height}, ${encoder.codec}`],
          [t("broadcast.rate"), megabits(encoder.bitrate)],
          [t("broadcast.latency"), ingest?.latencyMs ? t("broadcast.latencyOf", { latency: milliseconds(ingest.latencyMs), buffer: milliseconds(broadcast.bufferMs) }) : milliseconds(broadcast.bufferMs)],
          [t("broadcast.packets"), packets],
          [t("broadcast.receiver"), receiver?.uptimeSeconds != null && <>
            {t("broadcast.receiverFor", { time: duration(receiver.uptimeSeconds) })}
            {receiver.restarts ? <span className="warn"> {t("broadcast.restarts", { count: receiver.restarts })}</span> : ""}
          </>],
          [t("broadcast.slate"), ingest?.slateMs != null && <span className="warn">{t("broadcast.slateFor", { seconds: number(ingest.slateMs / 1000) })}</span>],
        ]} />
      </div>
    </Card>
  );
}

/** How long it is or was on its way. */
export function Elapsed({ broadcast }: { broadcast: Broadcast }) {
  const { duration } = useWords();
  const now = useNow(!broadcast.endedAt);
  const end = broadcast.endedAt ? Date.parse(broadcast.endedAt) : now;
  return <span className="clock">{duration((end - Date.parse(broadcast.createdAt)) / 1000)}</span>;
}

/** What happened to the broadcast's links and rates, and why: a file of JSON lines. */
async function download(id: string): Promise<void> {
  const lines = await client.call("getBroadcastsByIdRecorder", { id });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(lines);
  link.download = `strata-${id}.ndjson`;
  link.click();
  URL.revokeObjectURL(link.href);
}
