import type { Rehearsal } from "../api/Schema";
import { Button } from "../design/Button";
import { Facts } from "../design/Page";
import { Table } from "../design/Table";
import { useWords } from "../text/Text";

type Report = NonNullable<Rehearsal["report"]>;
type Finding = Report["findings"][number];

/** What a rehearsal has shown: what is wrong and what to do, the bitrate to take, and each link's figures. */
export function RehearsalReport({ report, take }: { report: Report; take?: (bitrate: number) => void }) {
  const { t, megabits, milliseconds, percent, bytes, number, duration } = useWords();
  const { bond, recommendation } = report;
  const known = (value: number | null | undefined, say: (value: number) => string) => (value != null ? say(value) : "–");
  return <>
    {report.findings.length === 0 && report.verdict === "ready" && <p>{t("rehearsal.allWell")}</p>}
    {report.findings.length > 0 && <ul className="findings">{report.findings.map((one, index) => <li key={index}><FindingNote finding={one} /></li>)}</ul>}
    {recommendation && (
      <div className="buttons">
        <p>{t("rehearsal.recommended", { rate: megabits(recommendation.bitrate) })} <span className="muted">
          {t(recommendation.isLimit ? "rehearsal.limit" : "rehearsal.noLimit", { rate: megabits(recommendation.deliverable) })}</span></p>
        {take && <Button look="plain" onClick={() => take(recommendation.bitrate)}>{t("rehearsal.take", { rate: megabits(recommendation.bitrate) })}</Button>}
      </div>
    )}
    <Facts facts={[
      [t("rehearsal.measured"), duration(report.seconds)],
      [t("rehearsal.arrived"), bond && megabits(bond.delivered)],
      [t("rehearsal.lost"), bond && t("rehearsal.lostOf", { lost: number(bond.lostPackets), all: number(bond.lostPackets + bond.deliveredPackets) })],
      [t("broadcast.latency"), bond?.latencyP95Ms != null && milliseconds(bond.latencyP95Ms)],
      [t("rehearsal.cost"), bytes(report.sentBytes)],
    ]} />
    <Rates report={report} />
    {report.links.length > 0 && <Table label={t("sender.links")} rows={report.links} id={link => link.name} columns={[
      { id: "link", title: t("links.link"), heads: true, cell: link => <>{link.name}{!link.carried && <span className="warn"> {t("rehearsal.carriedNothing")}</span>}</> },
      { id: "share", title: t("rehearsal.share"), number: true, cell: link => percent(link.share) },
      { id: "delivered", title: t("rehearsal.arrived"), number: true, cell: link => megabits(link.delivered) },
      { id: "capacity", title: t("rehearsal.capacity"), number: true, cell: link => known(link.capacity, megabits) },
      { id: "loss", title: t("links.loss"), number: true, cell: link => known(link.loss, percent) },
      { id: "rtt", title: t("rehearsal.rtt"), number: true, cell: link => `${known(link.rttMs, number)} / ${known(link.rttP95Ms, milliseconds)}` },
      { id: "drops", title: t("rehearsal.drops"), number: true, cell: link => number(link.droppedPackets) },
      { id: "mtu", title: t("rehearsal.mtu"), number: true, cell: link => known(link.mtu, number) },
      { id: "cost", title: t("rehearsal.cost"), number: true, cell: link => bytes(link.sentBytes) },
    ]} />}
  </>;
}

/** What the server says of a start, of the sender or of a link that carried nothing is its own words, beside ours. */
const spoken: ReadonlySet<Finding["kind"]> = new Set<Finding["kind"]>(["failed_start", "no_key_frame", "cut_short", "sender", "link_silent"]);

function FindingNote({ finding }: { finding: Finding }) {
  const { t, megabits, bytes, number } = useWords();
  const said = finding.value ?? 0;
  const value = finding.kind === "link_plan" ? bytes(said)
    : finding.kind === "too_little" || finding.kind === "little_reserve" ? megabits(said * 1000) : number(said, Number.isInteger(said) ? 0 : 1);
  return (
    <div className={finding.isFault ? "bad" : "warn"}>
      <strong>{t(`rehearsal.finding.${finding.kind}`, { link: finding.link ?? "", value })}</strong>
      {spoken.has(finding.kind) && <p className="reason">{finding.text}</p>}
      <p className="muted">{t(`rehearsal.advice.${finding.kind}`)}</p>
    </div>
  );
}

/** The encoder's rate, second for second: what was asked for as a dashed line, what was made as a whole one. */
function Rates({ report }: { report: Report }) {
  const { t } = useWords();
  const most = Math.max(...report.asked, ...report.made, 1), count = Math.max(report.asked.length, 2);
  const points = (values: readonly number[]) => values.map((value, second) => `${(second / (count - 1) * 300).toFixed(1)},${(58 - value / most * 56).toFixed(1)}`).join(" ");
  if (report.asked.length < 2) return null;
  return (
    <svg className="rates" viewBox="0 0 300 60" role="img" aria-label={t("rehearsal.rates")} preserveAspectRatio="none">
      <polyline className="asked" points={points(report.asked)} />
      <polyline className="made" points={points(report.made)} />
    </svg>
  );
}
