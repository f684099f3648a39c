import { useReading } from "../api/Server";
import { Link } from "../app/Router";
import { Card, Read } from "../design/Page";
import { Table } from "../design/Table";
import { useWords } from "../text/Text";
import { useEvery } from "./useEvery";

/** The meetings that run, since when, and who is in them. */
export function RunningMeetings() {
  const { t, number, duration } = useWords();
  const meetings = useReading("getDiagnosticsMeetings", {});
  useEvery(10_000, meetings.again);
  return (
    <Read of={meetings}>{({ items }) => (
      <Card title={t("diagnostics.meetings")}>
        {items.length === 0 ? <p className="muted">{t("diagnostics.noMeetings")}</p> : (
          <Table label={t("diagnostics.meetings")} rows={items} id={one => one.id} columns={[
            { id: "title", title: t("meetings.title"), heads: true, cell: one => <Link to={`/meetings/${one.id}`}>{one.title}</Link> },
            { id: "type", title: t("meetings.type"), cell: one => t(`meetings.type.${one.type}`) },
            { id: "duration", title: t("diagnostics.lasts"), number: true, cell: one => duration(one.durationSeconds) },
            { id: "count", title: t("diagnostics.people"), number: true, cell: one => number(one.participants.length) },
            { id: "people", title: t("diagnostics.who"), cell: one => one.participants.map(person => person.name).join(", ") },
          ]} />
        )}
      </Card>
    )}</Read>
  );
}
