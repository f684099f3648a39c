import { lazy, Suspense, useCallback, useEffect, useRef, useState, type ReactNode } from "react";
import type { Answer } from "../api/Client";
import type { Fault } from "../api/Fault";
import { asFault, client, useAccess, useReading } from "../api/Server";
import { Button, useAct } from "../design/Button";
import { FaultNote } from "../design/Fault";
import { TextField } from "../design/Field";
import { Skeleton } from "../design/Page";
import { useWords } from "../text/Text";
import { Door, mailedToken } from "./Door";
import { InAppNote } from "./InAppNote";

// The room is a part of its own: whoever only reads of meetings does not read it.
const DeviceCheck = lazy(() => import("./DeviceCheck"));
const RoomPage = lazy(() => import("./RoomPage"));

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
  // Whose session ends while they are in a meeting are told so by the room, and not asked for another name.
  const wasIn = useRef(false);
  if (access.is === "in") wasIn.current = true;
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
  return wasIn.current && token === "" ? <Inside slug={asked} else={guest} /> : guest;
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
  if (entry) return <Coming title={meeting.title} meeting={meeting} first={entry} ask={ask} again={() => setEntry(null)} />;
  return (
    <Door title={meeting.title}>
      <InAppNote address={location.href} />
      <Check preset={meeting.preset} />
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
      <InAppNote address={`${location.origin}${location.pathname}${address.token ? `#token=${address.token}` : ""}`} />
      <Check preset={door.preset} />
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

/** One's own picture and sound, while there is time for it. */
function Check({ preset }: { preset: Entry["preset"] }) {
  const { t } = useWords();
  return (
    <>
      <Suspense fallback={<Skeleton lines={2} />}><DeviceCheck preset={preset} /></Suspense>
      <a href="/network-test" target="_blank" rel="noopener">{t("network.title")}</a>
    </>
  );
}

type ComingProps = { title: string; meeting?: Meeting; first: Entry; ask: () => Promise<Entry>; again: () => void };

/** Somebody has asked to come in: waits, is in, or is not let in. */
function Coming({ title, meeting, first, ask, again }: ComingProps) {
  const { t } = useWords();
  const [entry, setEntry] = useState(first), [fault, setFault] = useState<Fault | null>(null);
  const waits = entry.state === "waits" && fault?.status !== 404 && fault?.status !== 410;
  useEffect(() => {
    if (!waits) return;
    // Also while nobody looks: whoever is silent waits no more.
    const timer = setInterval(() => ask().then(answer => { setFault(null); setEntry(answer); }, (thrown: unknown) => setFault(asFault(thrown))), interval);
    return () => clearInterval(timer);
  }, [waits, ask]);
  // Whoever has waited asks by what they waited by, and everybody else for another one.
  const renew = useCallback(async () => (await ask()).pass?.token ?? null, [ask]);
  if (entry.pass) {
    return (
      <Suspense fallback={<Door title={title}><Skeleton /></Door>}>
        <RoomPage key={entry.pass.token} title={title} pass={entry.pass.token} preset={entry.preset} meeting={meeting} renew={renew} again={again} />
      </Suspense>
    );
  }
  if (entry.state === "refused") return <Door title={t("join.refused")}><p>{t("join.refusedText")}</p></Door>;
  if (fault?.status === 404) return <Nothing />;
  if (!waits) return <Door title={t("join.late")}><p>{t("join.lateText")}</p><Button look="primary" onClick={again}>{t("join.again")}</Button></Door>;
  return (
    <Door title={title}>
      <p role="status"><strong>{t("join.waiting")}</strong></p>
      <p>{t("join.waitingText")}</p>
      {fault && <FaultNote fault={fault} />}
      <Check preset={entry.preset} />
    </Door>
  );
}
