import { useCallback, useEffect, useState } from "react";
import type { Answer } from "../api/Client";
import type { Fault } from "../api/Fault";
import { asFault, client } from "../api/Server";
import { Card, Facts, Read } from "../design/Page";
import { Table } from "../design/Table";
import { attendance, type SeatEvent } from "../live/Attendance";
import { useWords } from "../text/Text";
import { useEvery, useNow } from "./useEvery";

/** Parts that are read: who came and went is kept of a meeting up to ten thousand times, 200 in a part. */
const most = 60;

/** Who is in a meeting or was, when, and for how long. */
export function Attendance({ meeting }: { meeting: Answer<"getMeetingsById"> }) {
  const { t, time, number, duration } = useWords();
  const isRunning = meeting.state === "active", reading = useEvents(meeting.id), { again } = reading, now = useNow(isRunning);
  useEvery(isRunning ? 10_000 : 3_600_000, again);
  const end = meeting.endedAt ? Date.parse(meeting.endedAt) : now;
  return (
    <Card title={t("meetings.attendance")}>
      <Read of={reading}>{events => {
        const found = attendance(events, end);
        if (found.people.length === 0) return <p className="muted">{t("meetings.nobodyCame")}</p>;
        return (
          <>
            <Facts facts={[
              [t("meetings.attended"), number(found.people.length)], [t("meetings.peak"), number(found.most)],
              [t("meetings.length"), meeting.startedAt && duration((end - Date.parse(meeting.startedAt)) / 1000)],
            ]} />
            <Table label={t("meetings.attendance")} rows={found.people} id={one => one.person} columns={[
              { id: "name", title: t("name"), heads: true, cell: one => one.name },
              { id: "stays", title: t("meetings.stays"), cell: one => one.stays.map(({ from, to }) => {
                const until = to ?? (isRunning ? null : end);
                return <p key={from}>{`${time(new Date(from).toISOString())} – ${until === null ? t("meetings.still") : time(new Date(until).toISOString())}`}</p>;
              }) },
              { id: "stayed", title: t("meetings.stayed"), number: true, cell: one => duration(one.stayed / 1000) },
            ]} />
          </>
        );
      }}</Read>
    </Card>
  );
}

/** All that happened to anybody's seat. */
function useEvents(id: string): { value?: readonly SeatEvent[]; fault?: Fault; again: () => void } {
  const [state, setState] = useState<{ value?: readonly SeatEvent[]; fault?: Fault }>({});
  const again = useCallback(() => {
    const read = async () => {
      const found: SeatEvent[] = [];
      let after = "";
      for (let count = 0; count < most; count++) {
        const part: Answer<"getMeetingsByIdEvents"> = await client.call("getMeetingsByIdEvents", { id, limit: "200", ...(after && { after }) });
        found.push(...part.items);
        if (!part.next) break;
        after = part.next;
      }
      return found;
    };
    read().then(value => setState({ value }), (thrown: unknown) => setState(before => ({ ...before, fault: asFault(thrown) })));
  }, [id]);
  useEffect(again, [again]);
  return { ...state, again };
}
