import { useCallback, useState, type FormEvent } from "react";
import type { Answer } from "../api/Client";
import { useMay, useReading } from "../api/Server";
import { go, Link } from "../app/Router";
import { Badge } from "../design/Badge";
import { Button } from "../design/Button";
import { TextField } from "../design/Field";
import { Card, Read } from "../design/Page";
import { Table } from "../design/Table";
import { useWords } from "../text/Text";
import { MakeDialog, meetingTone } from "./MeetingsPage";
import { useEvery } from "./useEvery";

type Meeting = Answer<"getMeetingsById">;

/** So many of each: the rest is on the page of meetings. */
const most = 5;

/** As many as are answered at once: of those that are planned, the next one may have been made long ago. */
const whole = "200";

const when = (one: Meeting): string => one.startedAt ?? one.scheduledStart ?? one.createdAt;
const over = (one: Meeting): string => one.endedAt ?? when(one);

/** Those that run, and then those that are planned, the next one first. */
const ahead = (running: readonly Meeting[], planned: readonly Meeting[]): readonly Meeting[] =>
  [running, planned].flatMap(items => [...items].sort((a, b) => (when(a) < when(b) ? -1 : 1))).slice(0, most);

/** Those that are over, the last one first. */
const past = (items: readonly Meeting[]): readonly Meeting[] => [...items].sort((a, b) => (over(a) > over(b) ? -1 : 1)).slice(0, most);

/** Which meetings there are, and the ways into one. */
export function HomeMeetings() {
  const { t } = useWords();
  const may = useMay(), running = useReading("getMeetings", { state: "active", limit: whole }), planned = useReading("getMeetings", { state: "scheduled", limit: whole });
  const ended = useReading("getMeetings", { state: "ended" });
  const [isMaking, setMaking] = useState(false);
  const again = useCallback(() => { for (const one of [running.again, planned.again, ended.again]) one(); }, [running.again, planned.again, ended.again]);
  useEvery(60_000, again);
  const all = {
    value: running.value && planned.value && ended.value && { ahead: ahead(running.value.items, planned.value.items), past: past(ended.value.items) },
    fault: running.fault ?? planned.fault ?? ended.fault, again,
  };
  return (
    <Card title={t("home.meetings")} actions={may("meetings.run") && <Button small onClick={() => setMaking(true)}>{t("meetings.make")}</Button>}>
      <Code />
      <Read of={all}>{found => (
        <>
          <List label={t("home.meetingsAhead")} items={found.ahead} time={when} none={t("home.noMeetings")} />
          <List label={t("home.meetingsPast")} items={found.past} time={over} none={null} />
          {found.ahead.length + found.past.length > 0 && <div className="buttons"><Link className="button plain" to="/meetings">{t("home.allMeetings")}</Link></div>}
        </>
      )}</Read>
      {isMaking && <MakeDialog close={() => setMaking(false)} />}
    </Card>
  );
}

/** By what somebody read to them, or wrote down. */
function Code() {
  const { t } = useWords();
  const [code, setCode] = useState("");
  const come = (event: FormEvent) => {
    event.preventDefault();
    const slug = code.replace(/[\s-]/g, "");
    if (slug !== "") go(`/join/${encodeURIComponent(slug)}`);
  };
  return (
    <form className="stack" onSubmit={come}>
      <TextField label={t("join.code")} hint={t("join.codeHint")} required maxLength={32} autoComplete="off" autoCapitalize="off" value={code} set={setCode} />
      <div className="buttons"><Button type="submit">{t("join.next")}</Button></div>
    </form>
  );
}

type ListProps = { label: string; items: readonly Meeting[]; time: (one: Meeting) => string; none: string | null };

function List({ label, items, time, none }: ListProps) {
  const { t, time: told } = useWords();
  if (items.length === 0) return none === null ? null : <p className="muted">{none}</p>;
  return (
    <Table label={label} rows={items} id={one => one.id} columns={[
      { id: "title", title: label, heads: true, cell: one => <Link to={`/meetings/${one.id}`}>{one.title}</Link> },
      { id: "state", title: t("state"), cell: one => <Badge tone={meetingTone[one.state]}>{t(`meetings.state.${one.state}`)}</Badge> },
      { id: "time", title: t("time"), short: true, cell: one => told(time(one)) },
    ]} />
  );
}
