import { useMemo } from "react";
import { client, useMay } from "../api/Server";
import type { Rehearsal, Sender } from "../api/Schema";
import { Badge } from "../design/Badge";
import { ActButton } from "../design/Button";
import { Card, Facts } from "../design/Page";
import { verdictTone } from "../design/states";
import { tellFault } from "../design/Toast";
import { useAll } from "../live/Live";
import { useWords } from "../text/Text";
import { LinkCharts } from "./LinkCharts";
import { RehearsalReport } from "./RehearsalReport";
import { useNow } from "./useEvery";

/** The last rehearsal of a sender, running or over. */
export function useRehearsal(sender: string): Rehearsal | undefined {
  const all = useAll("rehearsal");
  return useMemo(() => [...all.values()].filter(one => one.sender === sender).sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1))[0], [all, sender]);
}

type Props = { rehearsal: Rehearsal; sender: Sender; /** Puts a bitrate into the form, in bits per second. */ take?: (bitrate: number) => void };

/** How a rehearsal goes, link for link, and what came of it. */
export function RehearsalCard({ rehearsal, sender, take }: Props) {
  const { t, time, bytes } = useWords();
  const may = useMay(), { report } = rehearsal;
  const isOver = rehearsal.state === "ended";
  const stop = () => client.call("postRehearsalsByIdStop", { id: rehearsal.id });
  return (
    <section className="stack rehearsal" aria-label={t("rehearsal.title")}>
      <Card title={t("rehearsal.title")} actions={<>
        {isOver && report ? <Badge tone={verdictTone[report.verdict]}>{t(`rehearsal.verdict.${report.verdict}`)}</Badge>
          : <Badge tone={rehearsal.state === "running" ? "live" : rehearsal.state === "interrupted" ? "bad" : "none"}>{t(`rehearsal.state.${rehearsal.state}`)}</Badge>}
        {!isOver && may("broadcasts.run") && <ActButton look="plain" small act={stop} failed={tellFault} disabled={rehearsal.state === "stopping"}>{t("rehearsal.stop")}</ActButton>}
      </>}>
        {isOver ? <p className="muted">{t("rehearsal.at", { time: time(rehearsal.endedAt ?? rehearsal.createdAt) })}</p> : <Running rehearsal={rehearsal} />}
        {rehearsal.reason && <p className="reason">{rehearsal.reason}</p>}
        {rehearsal.heldBack && <p className="warn">{t("rehearsal.heldBack")} <span className="reason">{rehearsal.heldBack}</span></p>}
        {!isOver && <Facts facts={[[t("rehearsal.cost"), t("rehearsal.costMost", { size: bytes(rehearsal.mostBytes) })]]} />}
        {isOver && report && <RehearsalReport report={report} take={take} />}
      </Card>
      {!isOver && <LinkCharts sender={sender} />}
    </section>
  );
}

/** The countdown, and what is being found out. */
function Running({ rehearsal }: { rehearsal: Rehearsal }) {
  const { t, duration, megabits } = useWords();
  const now = useNow(true);
  if (!rehearsal.endsAt) return <p className="muted">{t(rehearsal.step === "media" ? "rehearsal.awaitsPicture" : rehearsal.step === "sender" ? "rehearsal.awaitsSender" : "rehearsal.awaitsReceiver")}</p>;
  const left = Math.max(0, (Date.parse(rehearsal.endsAt) - now) / 1000);
  return <>
    <p><span className="clock">{t("rehearsal.left", { time: duration(Math.ceil(left)) })}</span></p>
    <progress max={rehearsal.seconds} value={rehearsal.seconds - left} aria-label={t("rehearsal.title")} />
    <p className="muted">{t(rehearsal.asked > rehearsal.encoder.bitrate ? "rehearsal.second" : "rehearsal.first", { rate: megabits(rehearsal.asked) })}</p>
  </>;
}
