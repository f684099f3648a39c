import { useState } from "react";
import type { Answer } from "../api/Client";
import type { Fault } from "../api/Fault";
import { client, useReading } from "../api/Server";
import { Link } from "../app/Router";
import { Badge } from "../design/Badge";
import { ActButton, Button } from "../design/Button";
import { Copy } from "../design/Copy";
import { ConfirmDialog, FormDialog } from "../design/Dialog";
import { TextField } from "../design/Field";
import { Card, Facts, Page, Read } from "../design/Page";
import { Table } from "../design/Table";
import { tellFault } from "../design/Toast";
import { useWords } from "../text/Text";
import { Attendance } from "./Attendance";
import { Changes } from "./Changes";
import { MeetingFields, ofMeetings } from "./MeetingFields";
import { meetingTone } from "./MeetingsPage";
import { useEvery } from "./useEvery";

type Meeting = Answer<"getMeetingsById">;
type GuestLink = Answer<"postMeetingsByIdGuestLinks">;

/** One meeting: its address, who waits before it, and what holds in it. */
export function MeetingPage({ id }: { id: string }) {
  const { t } = useWords();
  const reading = useReading("getMeetingsById", { id });
  return reading.value ? <Shown meeting={reading.value} again={reading.again} /> : <Page title={t("nav.meetings")}><Read of={reading}>{() => null}</Read></Page>;
}

function Shown({ meeting, again }: { meeting: Meeting; again: () => void }) {
  const { t, time } = useWords();
  const [isEnding, setEnding] = useState(false);
  const { id, state } = meeting, isOver = state === "ended" || state === "cancelled", isHost = meeting.role === "host" || meeting.role === "co_host";
  // It begins and ends by others, and by itself.
  useEvery(isOver ? 3_600_000 : 10_000, again);
  const start = async () => { await client.call("postMeetingsByIdStart", { id }); again(); };
  const end = async () => { await client.call(state === "active" ? "postMeetingsByIdEnd" : "postMeetingsByIdCancel", { id }); again(); };
  const leaving = t(state === "active" ? "meetings.end" : "meetings.cancel");
  return (
    <Page title={meeting.title} back={{ to: "/meetings", text: t("nav.meetings") }} badge={<Badge tone={meetingTone[state]}>{t(`meetings.state.${state}`)}</Badge>} actions={!isOver && <>
      {meeting.mayRun && <Button onClick={() => setEnding(true)}>{leaving}</Button>}
      {meeting.mayRun && state !== "active" && <ActButton act={start} failed={tellFault}>{t("meetings.begin")}</ActButton>}
      {state !== "draft" && <Link className="button primary" to={`/join/${meeting.slug}`}>{t("join.enter")}</Link>}
    </>}>
      <Card>
        {!isOver && <Copy text={meeting.joinURL} label={t("meetings.address")} />}
        <Facts facts={[
          [t("meetings.type"), t(`meetings.type.${meeting.type}`)], [t("meetings.description"), meeting.description],
          [t("meetings.start"), meeting.scheduledStart && time(meeting.scheduledStart)], [t("meetings.began"), meeting.startedAt && time(meeting.startedAt)],
          [t("meetings.ended"), meeting.endedAt && time(meeting.endedAt)],
        ]} />
      </Card>
      {!isOver && isHost && <Waiting id={id} />}
      {meeting.mayRun && meeting.startedAt && <Attendance meeting={meeting} />}
      {!isOver && meeting.mayRun && <Links id={id} />}
      {!isOver && meeting.mayRun && (
        <Changes of={{ settings: meeting.settings }} send={async change => { await client.call("patchMeetingsById", { id }, change); again(); }}>{(values, put, fault) => (
          <MeetingFields names={ofMeetings} values={values.settings} put={change => put({ settings: { ...values.settings, ...change } })}
            effective={meeting.effective} locked={meeting.locked} none={t("meetings.inherited")} error={name => fault?.about(`settings.${name}`)} />
        )}</Changes>
      )}
      {isEnding && <ConfirmDialog title={leaving} submit={leaving} close={() => setEnding(false)} act={end}><p>{t("meetings.endText")}</p></ConfirmDialog>}
    </Page>
  );
}

/** Guests who knock: the feed does not tell of them. */
function Waiting({ id }: { id: string }) {
  const { t, time } = useWords();
  const guests = useReading("getMeetingsByIdWaiting", { id }), { again } = guests;
  useEvery(5000, again);
  const admit = async (guest: string) => { await client.call("postMeetingsByIdWaitingByGuestAdmit", { id, guest }); again(); };
  const refuse = async (guest: string) => { await client.call("deleteMeetingsByIdWaitingByGuest", { id, guest }); again(); };
  return (
    <Card title={t("meetings.waiting")}>
      <Read of={guests}>{({ items }) => items.length === 0 ? <p className="muted">{t("meetings.nobody")}</p> : (
        <Table label={t("meetings.waiting")} rows={items} id={one => one.id} columns={[
          { id: "name", title: t("name"), heads: true, cell: one => one.name },
          { id: "since", title: t("time"), short: true, cell: one => time(one.since) },
          { id: "act", title: t("actions"), cell: one => <>
            <ActButton small act={() => admit(one.id)} failed={tellFault} aria-label={t("meetings.admitOf", { name: one.name })}>{t("meetings.admit")}</ActButton>{" "}
            <ActButton small look="quiet" act={() => refuse(one.id)} failed={tellFault} aria-label={t("meetings.refuseOf", { name: one.name })}>{t("meetings.refuse")}</ActButton>
          </> },
        ]} />
      )}</Read>
    </Card>
  );
}

/** Links by which guests come; each is shown once, to whoever makes it. */
function Links({ id }: { id: string }) {
  const { t, number, time } = useWords();
  const links = useReading("getMeetingsByIdGuestLinks", { id }), { again } = links;
  const [isMaking, setMaking] = useState(false), [made, setMade] = useState<GuestLink | null>(null);
  const withdraw = async (one: GuestLink) => {
    await client.call("deleteMeetingsByIdGuestLinksByLink", { id, link: one.id });
    if (made?.id === one.id) setMade(null);
    again();
  };
  return (
    <Card title={t("meetings.links")} actions={<Button small onClick={() => setMaking(true)}>{t("meetings.link")}</Button>}>
      <p className="muted">{t("meetings.linksText")}</p>
      {made?.url && <Copy text={made.url} label={t("meetings.linkOf", { name: made.label })} />}
      <Read of={links}>{({ items }) => items.length > 0 && (
        <Table label={t("meetings.links")} rows={items} id={one => one.id} columns={[
          { id: "label", title: t("meetings.for"), heads: true, cell: one => one.label },
          { id: "uses", title: t("meetings.uses"), number: true, cell: one => `${number(one.uses)} / ${number(one.mostUses)}` },
          { id: "expires", title: t("enrollment.expires"), short: true, cell: one => time(one.expiresAt) },
          { id: "act", title: t("actions"), cell: one => <ActButton small look="quiet" act={() => withdraw(one)} failed={tellFault} aria-label={t("removeOf", { name: one.label })}>{t("remove")}</ActButton> },
        ]} />
      )}</Read>
      {isMaking && <LinkDialog id={id} close={() => setMaking(false)} done={link => { setMade(link); again(); }} />}
    </Card>
  );
}

function LinkDialog({ id, close, done }: { id: string; close: () => void; done: (link: GuestLink) => void }) {
  const { t } = useWords();
  const [label, setLabel] = useState(""), [uses, setUses] = useState("1"), [hours, setHours] = useState("4"), [fault, setFault] = useState<Fault | null>(null);
  const act = async () => {
    setFault(null);
    done(await client.call("postMeetingsByIdGuestLinks", { id }, { label, uses: Number(uses), expiresInSeconds: Number(hours) * 3600 }));
  };
  return (
    <FormDialog title={t("meetings.link")} submit={t("meetings.link")} close={close} act={act} failed={setFault}>
      <TextField label={t("meetings.for")} hint={t("meetings.forHint")} required maxLength={100} autoComplete="off" value={label} set={setLabel} error={fault?.about("label")} />
      <TextField label={t("meetings.uses")} type="number" min={1} max={1000} required value={uses} set={setUses} error={fault?.about("uses")} />
      <TextField label={t("meetings.hours")} type="number" min={1} max={720} required value={hours} set={setHours} error={fault?.about("expiresInSeconds")} />
    </FormDialog>
  );
}
