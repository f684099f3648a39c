import { useCallback, useEffect, useState, useSyncExternalStore, type ReactNode } from "react";
import type { Answer } from "../api/Client";
import type { Fault } from "../api/Fault";
import { asFault, client, useAccess, useReading } from "../api/Server";
import { Badge } from "../design/Badge";
import { Button, useAct } from "../design/Button";
import { FaultNote } from "../design/Fault";
import { TextField } from "../design/Field";
import { Skeleton } from "../design/Page";
import { Room } from "../live/Room";
import { useWords } from "../text/Text";
import { Door, mailedToken } from "./Door";

type MeetingDoor = Answer<"postJoinLookup">;
type Meeting = Answer<"getMeetingsById">;
type Entry = Answer<"postJoinGuest">;
/** What somebody from outside knows of a meeting. */
type Address = { slug: string; organization?: string; token?: string };

/** How often whoever waits asks. */
const interval = 5000;

/** Where a meeting's address and its guest links lead: who has signed in comes by their account, and everybody else by their name. */
export function JoinPage({ slug, organization }: { slug?: string; organization?: string }) {
  const { t } = useWords();
  const [token] = useState(mailedToken), [typed, setTyped] = useState(slug ?? ""), [asked, setAsked] = useState(slug ?? "");
  const access = useAccess();
  const [address] = useState({ ...(organization && { organization }), ...(token && { token }) });
  if (asked === "") {
    return (
      <Door title={t("join.title")}>
        <form className="stack" onSubmit={event => { event.preventDefault(); setAsked(typed.trim()); }}>
          <TextField label={t("join.code")} hint={t("join.codeHint")} required maxLength={32} autoComplete="off" autoCapitalize="off" value={typed} set={setTyped} />
          <Button type="submit" look="primary">{t("join.next")}</Button>
        </form>
      </Door>
    );
  }
  if (access.is === "unknown") return <Door title={t("join.title")}><Skeleton /></Door>;
  const guest = <Outside address={{ slug: asked, ...address }} />;
  // A guest link is for whoever opens it, whoever they are here.
  return access.is === "in" && token === "" ? <Inside slug={asked} else={guest} /> : guest;
}

/** Somebody with an account: another organisation's meetings are none of theirs, and they come to them as guests. */
function Inside({ slug, else: guest }: { slug: string; else: ReactNode }) {
  const { t } = useWords();
  const { value, fault, again } = useReading("getMeetings", { slug });
  if (fault) return <Door title={t("join.title")}><FaultNote fault={fault} again={again} /></Door>;
  if (!value) return <Door title={t("join.title")}><Skeleton /></Door>;
  const meeting = value.items[0];
  return meeting ? <Member meeting={meeting} /> : <>{guest}</>;
}

function Member({ meeting }: { meeting: Meeting }) {
  const { t, time } = useWords();
  const [entry, setEntry] = useState<Entry | null>(null), [fault, setFault] = useState<Fault | null>(null);
  const ask = useCallback(() => client.call("postMeetingsByIdJoin", { id: meeting.id }), [meeting.id]);
  const { state, run } = useAct(async () => setEntry(await ask()), setFault);
  if (entry) return <Coming title={meeting.title} first={entry} ask={ask} again={() => setEntry(null)} />;
  return (
    <Door title={meeting.title}>
      {meeting.scheduledStart && meeting.state === "scheduled" && <p className="muted">{t("join.from", { time: time(meeting.scheduledStart) })}</p>}
      {fault && <FaultNote fault={fault} />}
      <Button look="primary" disabled={state === "busy"} aria-busy={state === "busy"} onClick={() => { setFault(null); void run(); }}>{state === "busy" && <span className="spinner" />}{t("join.enter")}</Button>
    </Door>
  );
}

function Outside({ address }: { address: Address }) {
  const { t } = useWords();
  const [door, setDoor] = useState<MeetingDoor | null>(null), [fault, setFault] = useState<Fault | null>(null), [times, setTimes] = useState(0);
  const [asked] = useState(address);
  useEffect(() => {
    setFault(null);
    client.call("postJoinLookup", {}, asked).then(setDoor, (thrown: unknown) => setFault(asFault(thrown)));
  }, [asked, times]);
  if (fault?.status === 404 || fault?.status === 422) return <Nothing />;
  if (fault?.status === 410) return <Door title={t("join.gone")}><p>{t("join.goneText")}</p></Door>;
  if (fault) return <Door title={t("join.title")}><FaultNote fault={fault} again={() => setTimes(times + 1)} /></Door>;
  return door ? <Knock door={door} address={asked} failed={setFault} /> : <Door title={t("join.title")}><Skeleton /></Door>;
}

function Nothing() {
  const { t } = useWords();
  return <Door title={t("join.none")}><p>{t("join.noneText")}</p></Door>;
}

/** Somebody from outside says who they are. */
function Knock({ door, address, failed }: { door: MeetingDoor; address: Address; failed: (fault: Fault) => void }) {
  const { t, time } = useWords();
  const [name, setName] = useState(""), [entry, setEntry] = useState<Entry | null>(null), [fault, setFault] = useState<Fault | null>(null);
  const { state, run } = useAct(async () => setEntry(await client.call("postJoinGuest", {}, { ...address, name })), refusal => {
    if ([404, 410].includes(refusal.status)) failed(refusal); else setFault(refusal);
  });
  const waiting = entry?.waiting ?? "";
  const ask = useCallback(() => client.call("postJoinWaiting", {}, { token: waiting }), [waiting]);
  if (entry) return <Coming title={door.title} first={entry} ask={ask} again={() => setEntry(null)} />;
  return (
    <Door title={door.title}>
      <form className="stack" onSubmit={event => { event.preventDefault(); setFault(null); void run(); }}>
        <p className="muted">{t("join.by", { organization: door.organization })}</p>
        {door.state === "scheduled" && door.scheduledStart && <p className="muted">{t("join.from", { time: time(door.scheduledStart) })}</p>}
        {door.waits && <p className="muted">{t("join.willWait")}</p>}
        <TextField label={t("join.name")} hint={t("join.nameHint")} name="name" autoComplete="name" required minLength={2} maxLength={50} value={name} set={setName} error={fault?.about("name")} />
        {fault && <FaultNote fault={fault} />}
        <Button type="submit" look="primary" disabled={state === "busy"} aria-busy={state === "busy"}>{state === "busy" && <span className="spinner" />}{t("join.enter")}</Button>
      </form>
    </Door>
  );
}

/** Somebody has asked to come in: waits, is in, or is not let in. */
function Coming({ title, first, ask, again }: { title: string; first: Entry; ask: () => Promise<Entry>; again: () => void }) {
  const { t } = useWords();
  const [entry, setEntry] = useState(first), [fault, setFault] = useState<Fault | null>(null);
  const waits = entry.state === "waits" && fault?.status !== 404 && fault?.status !== 410;
  useEffect(() => {
    if (!waits) return;
    // Also while nobody looks: whoever is silent waits no more.
    const timer = setInterval(() => ask().then(answer => { setFault(null); setEntry(answer); }, (thrown: unknown) => setFault(asFault(thrown))), interval);
    return () => clearInterval(timer);
  }, [waits, ask]);
  if (entry.pass) return <Seated title={title} pass={entry.pass.token} again={again} />;
  if (entry.state === "refused") return <Door title={t("join.refused")}><p>{t("join.refusedText")}</p></Door>;
  if (fault?.status === 404) return <Nothing />;
  if (!waits) return <Door title={t("join.late")}><p>{t("join.lateText")}</p><Button look="primary" onClick={again}>{t("join.again")}</Button></Door>;
  return (
    <Door title={title}>
      <p role="status"><strong>{t("join.waiting")}</strong></p>
      <p>{t("join.waitingText")}</p>
      {fault && <FaultNote fault={fault} />}
    </Door>
  );
}

/** Somebody in the meeting's room. */
function Seated({ title, pass, again }: { title: string; pass: string; again: () => void }) {
  const { t } = useWords();
  const [room] = useState(() => new Room(pass));
  useEffect(() => {
    room.start();
    return () => room.stop();
  }, [room]);
  const view = useSyncExternalStore(room.watch, () => room.view);
  if (view.is === "over") {
    return <Door title={t(`join.over.${view.why}`)}>{["left", "failed", "full"].includes(view.why) && <Button onClick={again}>{t("join.enter")}</Button>}</Door>;
  }
  return (
    <Door title={title}>
      <p role="status">{view.is === "in" ? t("join.in") : view.is === "lost" ? t("join.lost") : t("join.connecting")}</p>
      {view.people.length > 0 && <>
        <h2>{t("join.people")}</h2>
        <ul className="stack">
          {view.people.map(one => (
            <li key={one.id}>
              {one.id === view.me ? t("join.you", { name: one.name }) : one.name}{" "}
              <Badge tone={one.role === "host" ? "good" : "none"}>{t(`join.role.${one.role}`)}</Badge>{" "}
              {one.isAway && <Badge tone="warn">{t("join.away")}</Badge>}
            </li>
          ))}
        </ul>
      </>}
      <Button onClick={() => room.leave()}>{t("join.leave")}</Button>
    </Door>
  );
}
