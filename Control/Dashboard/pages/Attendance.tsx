import { useCallback, useEffect, useMemo, useState } from "react";
import type { Answer } from "../api/Client";
import type { Fault } from "../api/Fault";
import { asFault, client } from "../api/Server";
import { Card, Facts, Read } from "../design/Page";
import { Table } from "../design/Table";
import { attendance, type SeatEvent } from "../live/Attendance";
import { useWords } from "../text/Text";
import { useEvery, useNow } from "./useEvery";

/** Parts that are read at once: who came and went is kept of a meeting up to ten thousand times, 200 in a part. */
const most = 60;

/** Who is in a meeting or was, when, and for how long. */
export function Attendance({ meeting }: { meeting: Answer<"getMeetingsById"> }) {
  const { t, time, number, duration } = useWords();
  const isRunning = meeting.state === "active", reading = useEvents(meeting), { again } = reading, now = useNow(isRunning);
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
function useEvents({ id, state }: Answer<"getMeetingsById">): { value?: readonly SeatEvent[]; fault?: Fault; again: () => void } {
  const [shown, setShown] = useState<{ value?: readonly SeatEvent[]; fault?: Fault }>({});
  const events = useMemo(() => new Events(id), [id]);
  const again = useCallback(() => {
    events.read().then(value => setShown({ value }), (thrown: unknown) => setShown(before => ({ ...before, fault: asFault(thrown) })));
  }, [events]);
  // Those who have left last are known once it is over.
  useEffect(again, [again, state]);
  return { ...shown, again };
}

/** Of one meeting. What happened does not change: it is read once, and then what came after it. */
class Events {
  private found: readonly SeatEvent[] = [];
  private last = "";
  private running: Promise<readonly SeatEvent[]> | null = null;

  constructor(private readonly id: string) {}

  read(): Promise<readonly SeatEvent[]> {
    this.running ??= this.rest().finally(() => { this.running = null; });
    return this.running;
  }

  private async rest(): Promise<readonly SeatEvent[]> {
    for (let count = 0; count < most; count++) {
      const part: Answer<"getMeetingsByIdEvents"> = await client.call("getMeetingsByIdEvents", { id: this.id, limit: "200", ...(this.last && { after: this.last }) });
      this.found = [...this.found, ...part.items];
      this.last = part.items[part.items.length - 1]?.id ?? this.last;
      if (!part.next) break;
    }
    return this.found;
  }
}
