import { useState } from "react";
import type { Answer } from "../api/Client";
import type { Fault } from "../api/Fault";
import { client, useMay, useReading } from "../api/Server";
import { go, Link } from "../app/Router";
import { Badge, type Tone } from "../design/Badge";
import { Button } from "../design/Button";
import { FormDialog } from "../design/Dialog";
import { SelectField, TextField } from "../design/Field";
import { Card, Empty, Page, Read } from "../design/Page";
import { Table } from "../design/Table";
import { useWords } from "../text/Text";

type Meeting = Answer<"getMeetingsById">;

export const meetingTone: Record<Meeting["state"], Tone> = { draft: "none", scheduled: "none", active: "live", ended: "none", cancelled: "warn" };

/** The newest meetings of the organisation. */
export function MeetingsPage() {
  const { t, time } = useWords();
  const may = useMay(), meetings = useReading("getMeetings", {});
  const [isMaking, setMaking] = useState(false);
  const make = may("meetings.run") ? <Button look="primary" onClick={() => setMaking(true)}>{t("meetings.make")}</Button> : null;
  return (
    <Page title={t("nav.meetings")} actions={make}>
      <Read of={meetings}>{({ items }) => items.length === 0 ? <Empty title={t("meetings.none")} action={make}>{t("meetings.noneText")}</Empty> : (
        <Card>
          <Table label={t("nav.meetings")} rows={items} id={one => one.id} columns={[
            { id: "title", title: t("meetings.title"), heads: true, cell: one => <Link to={`/meetings/${one.id}`}>{one.title}</Link> },
            { id: "state", title: t("state"), cell: one => <Badge tone={meetingTone[one.state]}>{t(`meetings.state.${one.state}`)}</Badge> },
            { id: "type", title: t("meetings.type"), cell: one => t(`meetings.type.${one.type}`) },
            { id: "time", title: t("time"), short: true, cell: one => time(one.startedAt ?? one.scheduledStart ?? one.createdAt) },
          ]} />
        </Card>
      )}</Read>
      {isMaking && <MakeDialog close={() => setMaking(false)} />}
    </Page>
  );
}

/** A meeting that begins at once, or later; its page comes next. */
export function MakeDialog({ close }: { close: () => void }) {
  const { t } = useWords();
  const [title, setTitle] = useState(""), [type, setType] = useState<Meeting["type"]>("video"), [start, setStart] = useState(""), [fault, setFault] = useState<Fault | null>(null);
  const act = async () => {
    setFault(null);
    const made = await client.call("postMeetings", {}, { title, type, ...(start && { scheduledStart: new Date(start).toISOString() }) });
    go(`/meetings/${made.id}`);
  };
  return (
    <FormDialog title={t("meetings.make")} submit={t("meetings.make")} close={close} act={act} failed={setFault}>
      <TextField label={t("meetings.title")} required maxLength={100} autoComplete="off" value={title} set={setTitle} error={fault?.about("title")} />
      <SelectField label={t("meetings.type")} value={type} set={chosen => setType(chosen as Meeting["type"])} error={fault?.about("type")}
        options={(["video", "audio", "webinar", "livestream"] as const).map(one => [one, t(`meetings.type.${one}`)])} />
      <TextField label={t("meetings.start")} hint={t("meetings.startHint")} type="datetime-local" value={start} set={setStart} error={fault?.about("scheduledStart")} />
    </FormDialog>
  );
}
