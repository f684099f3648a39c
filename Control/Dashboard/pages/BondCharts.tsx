import type { Broadcast } from "../api/Schema";
import { Chart } from "../charts/Chart";
import { Card } from "../design/Page";
import { history, useTelemetry } from "../live/Live";
import { useWords } from "../text/Text";
import { Figure } from "./LinkCharts";

/** All links together: what is sent, what they could carry, what arrives. */
export function BondCharts({ broadcast }: { broadcast: Broadcast }) {
  const { t, megabits, number } = useWords();
  const sample = useTelemetry(broadcast.sender);
  const sent = sample?.links.reduce((sum, link) => sum + link.sent, 0), frames = sample?.pipeline?.frames;
  const bond = (name: string) => history.one(`${broadcast.sender}/bond/${name}`);
  return (
    <Card title={t("bond.title")}>
      <div className="charts bond">
        <Figure title={t("bond.sent")} value={sent != null ? megabits(sent) : "–"} more={sample?.bond ? t("links.capacity", { rate: megabits(sample.bond.capacity) }) : undefined}>
          <Chart label={t("bond.chartSent")} floor={1_000_000} height={110} scale={megabits}
            curves={() => [{ series: bond("sent"), look: "area" }, { series: bond("capacity"), look: "limit" }]} />
        </Figure>
        <Figure title={t("bond.received")} value={broadcast.ingest ? megabits(broadcast.ingest.bitrate) : "–"}
          more={frames ? t("bond.frames", { made: number(frames.made), asked: broadcast.encoder.frameRate }) : undefined}>
          <Chart label={t("bond.chartReceived")} floor={1_000_000} height={110} scale={megabits} curves={() => [{ series: history.one(`${broadcast.id}/received`), look: "area" }]} />
        </Figure>
      </div>
      {sample?.bond && <p className="muted">{t("bond.late", { lost: number(sample.bond.lostPackets), offered: number(sample.bond.offeredPackets) })}</p>}
      {frames && frames.input < broadcast.encoder.frameRate - 1 && <p className="warn">{t("bond.slowInput", { input: number(frames.input), asked: broadcast.encoder.frameRate })}</p>}
    </Card>
  );
}
