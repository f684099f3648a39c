import { useState } from "react";
import { useReading } from "../api/Server";
import type { DayFigures } from "../api/Schema";
import { SelectField } from "../design/Field";
import { Card, Empty, Facts, Page, Read } from "../design/Page";
import { Table } from "../design/Table";
import { useWords } from "../text/Text";
import type { Key } from "../text/en";

const spans = ["7", "30", "90", "366"] as const;
const sum = (days: readonly DayFigures[], of: (day: DayFigures) => number): number => days.reduce((all, day) => all + of(day), 0);
const isBusy = (day: DayFigures): boolean => day.broadcasts + day.rehearsals + day.meetings > 0;

/** What the organisation did in the last days: added up, drawn, and day by day. */
export function AnalyticsPage() {
  const { t, number, day, duration } = useWords();
  const [span, setSpan] = useState<string>("30");
  const days = useReading("getAnalyticsDays", { days: span });
  return (
    <Page title={t("nav.analytics")}>
      <div className="narrow"><SelectField label={t("analytics.span")} value={span} set={setSpan} options={spans.map(one => [one, t("analytics.days", { count: one })])} /></div>
      <Read of={days}>{({ items }) => {
        const busy = items.filter(isBusy).reverse();
        return busy.length === 0 ? <Empty title={t("analytics.none")}>{t("analytics.noneText")}</Empty> : <>
          <Card title={t("analytics.sum")}>
            <Facts facts={[
              [t("analytics.broadcasts"), number(sum(items, one => one.broadcasts))],
              [t("analytics.onAir"), duration(sum(items, one => one.broadcastSeconds))],
              [t("analytics.meetings"), number(sum(items, one => one.meetings))],
              [t("analytics.met"), duration(sum(items, one => one.meetingSeconds))],
              [t("analytics.rehearsals"), number(sum(items, one => one.rehearsals))],
              [t("analytics.busy"), number(busy.length)],
            ]} />
            <div className="charts bond">
              <Bars text="analytics.onAir" days={items} of={one => one.broadcastSeconds} words={duration} />
              <Bars text="analytics.met" days={items} of={one => one.meetingSeconds} words={duration} />
            </div>
          </Card>
          <Card title={t("analytics.each")}>
            <p className="muted">{t("analytics.text")}</p>
            <Table label={t("analytics.each")} rows={busy} id={one => one.day} columns={[
              { id: "day", title: t("analytics.day"), heads: true, short: true, cell: one => day(one.day) },
              { id: "broadcasts", title: t("analytics.broadcasts"), number: true, cell: one => number(one.broadcasts) },
              { id: "air", title: t("analytics.onAir"), number: true, cell: one => duration(one.broadcastSeconds) },
              { id: "senders", title: t("analytics.senders"), number: true, cell: one => number(one.senders) },
              { id: "rehearsals", title: t("analytics.rehearsals"), number: true, cell: one => number(one.rehearsals) },
              { id: "meetings", title: t("analytics.meetings"), number: true, cell: one => number(one.meetings) },
              { id: "met", title: t("analytics.met"), number: true, cell: one => duration(one.meetingSeconds) },
            ]} />
          </Card>
        </>;
      }}</Read>
    </Page>
  );
}

type BarsProps = { text: Key; days: readonly DayFigures[]; of: (day: DayFigures) => number; words: (value: number) => string };

/** A bar for each day; what each is stands in the table. */
function Bars({ text, days, of, words }: BarsProps) {
  const { t, day } = useWords();
  const most = Math.max(...days.map(of), 1), first = days[0]?.day, last = days.at(-1)?.day;
  const label = `${t(text)}: ${t("analytics.most", { value: words(Math.max(...days.map(of), 0)) })}`;
  return (
    <figure className="measure">
      <figcaption className="muted">{label}</figcaption>
      <svg className="days" viewBox={`0 0 ${days.length} 100`} preserveAspectRatio="none" role="img" aria-label={label}>
        {days.map((one, index) => <rect key={one.day} x={index + 0.1} width={0.8} y={100 - 100 * of(one) / most} height={100 * of(one) / most} />)}
      </svg>
      <p className="muted"><span>{first && day(first)}</span> – <span>{last && day(last)}</span></p>
    </figure>
  );
}
