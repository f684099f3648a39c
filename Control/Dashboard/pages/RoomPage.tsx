import { useCallback, useEffect, useMemo, useState, useSyncExternalStore } from "react";
import type { Answer } from "../api/Client";
import { client, type Reading } from "../api/Server";
import type { WaitingGuest } from "../api/Schema";
import { Sign } from "../app/Sign";
import { Button } from "../design/Button";
import { Icon } from "../design/Icon";
import { deeds, hands, powers as powersOf, type Powers } from "../live/Powers";
import { isAudioOnly, rights, type PresetName } from "../live/Rights";
import type { Person } from "../live/Room";
import { arrange, capacities, type Tile } from "../live/Tiles";
import { Call, type CallView } from "../media/Call";
import { capture } from "../media/Capture";
import { useWords } from "../text/Text";
import { Obstacles, useCapture } from "./DeviceFields";
import { RoomChat } from "./RoomChat";
import { RoomControls } from "./RoomControls";
import { Hands, useDoings } from "./RoomDeeds";
import { RoomFloat, useSmallWindow } from "./RoomFloat";
import { Sounds } from "./RoomMedia";
import { RoomNews, useNewRights } from "./RoomNews";
import { RoomOver } from "./RoomOver";
import type { PanelName } from "./RoomPanel";
import { PersonActions, RoomPeople } from "./RoomPeople";
import { RoomReactions } from "./RoomReactions";
import { Bars, RoomTiles } from "./RoomTiles";
import { useNow } from "./useEvery";

type Meeting = Answer<"getMeetingsById">;

type Props = {
  title: string; pass: string; preset: PresetName;
  /** Of who has signed in. */
  meeting?: Meeting;
  renew: () => Promise<string | null>;
  /** Back to before the door. */
  again: () => void;
};

/** Somebody in a meeting, from their coming in to their going. */
export default function RoomPage({ title, pass, preset, meeting, renew, again }: Props) {
  const [call] = useState(() => new Call(pass, renew, rights(preset), capture));
  useEffect(() => {
    call.start();
    return () => call.stop();
  }, [call]);
  const view = useSyncExternalStore(call.watch, () => call.view), { room } = view;
  const isOver = room.is === "over";
  useEffect(() => { if (isOver) call.stop(); }, [isOver, call]);
  if (room.is === "over") return <RoomOver why={room.why} meeting={meeting} again={again} />;
  return <InRoom title={title} preset={preset} meeting={meeting} call={call} view={view} people={room.people} me={room.me} />;
}

type InProps = { title: string; preset: PresetName; meeting: Meeting | undefined; call: Call; view: CallView; people: readonly Person[]; me: string };

function InRoom({ title, preset, meeting, call, view, people, me }: InProps) {
  const { t } = useWords();
  const { conditions, rights: told } = call.room, { may } = view, powers = useMemo(() => powersOf(told, conditions), [told, conditions]);
  const isPhone = useMedia("(max-width: 767px)"), { choice } = useCapture(), small = useSmallWindow();
  const [pinned, setPinned] = useState<string | null>(null), [layout, setLayout] = useState<"grid" | "speaker">("grid"), [page, setPage] = useState(0);
  const [panel, setPanel] = useState<PanelName | null>(null), [to, setTo] = useState(""), [draft, setDraft] = useState("");
  const write = (id: string) => {
    setTo(id);
    setPanel("chat");
  };
  const doings = useDoings(call, me, write), waiting = useWaiting(meeting, told === null || told.allowed.includes("admit"));
  const others = useMemo(() => people.filter(one => deeds(told, conditions, me, one).whisper), [people, told, conditions, me]);
  useNewRights(call);
  useEffect(() => { document.title = `${title} · Strata`; }, [title]);
  // What somebody may see no more is closed.
  const shown = panel === "people" && !may.people ? null : panel;
  const scene = arrange(people, me, { pinned: may.pin ? pinned : null, layout, page, spotlight: conditions.spotlight }, view.spoke, view.speaker, capacities[isPhone ? "phone" : "desktop"]);
  const actions = (tile: Tile, close: () => void, element: HTMLElement | null) => {
    const person = people.find(one => one.id === tile.participant), isPinned = tile.id === pinned, isShown = element !== null && view.pictures.has(tile.id);
    const pin = may.pin ? () => setPinned(isPinned ? null : tile.id) : null, items = person && tile.kind === "person" ? doings.items(person, close) : [];
    return pin || items.length > 0 || isShown ? <PersonActions isPinned={isPinned} pin={pin} isShown={isShown} items={items} close={close} element={element} /> : null;
  };
  return (
    <main className={`room${shown ? " with-panel" : ""}${isAudioOnly(told?.preset ?? preset) ? " voices" : ""}`}>
      <header className="room-bar">
        <span className="brand"><Sign /></span>
        <h1>{title}</h1>
        {conditions.isLocked && <span className="locked" data-tip={t("room.lockedText")}><Icon name="lock" /><span>{t("room.locked")}</span></span>}
        <Clock from={meeting?.startedAt ?? null} />
        {view.quality.has(me) && <span className="own-way"><Bars quality={view.quality.get(me) ?? "good"} /></span>}
      </header>
      <div className="room-notes">
        <State view={view} />
        <Term endsAtMs={conditions.endsAtMs ?? null} />
        <RoomNews call={call} people={people} me={me} />
        <Stopped own={people.find(one => one.id === me)} />
        {(may.camera || may.microphone) && <Obstacles may={{ ...may, camera: may.camera && choice.isSeen, microphone: may.microphone && choice.isHeard }} />}
        {view.obstacle && <p className="room-note warn" role="alert">{t(`room.obstacle.${view.obstacle}`)}</p>}
        <Asking people={people} me={me} powers={powers} isOpen={shown === "people"} open={() => setPanel("people")} />
        {waiting && (waiting.value?.items.length ?? 0) > 0 && shown !== "people" && <p className="room-note" role="status">{t("room.waiting", { count: waiting.value?.items.length ?? 0 })}</p>}
        <Sounds lines={view.sounds} speaker={choice.speaker} />
      </div>
      <RoomTiles scene={scene} view={view} people={people} me={me} pinned={pinned} turn={setPage} actions={actions} />
      <RoomReactions call={call} people={people} />
      {shown === "people" && <RoomPeople people={people} me={me} waiting={waiting && meeting ? { meeting: meeting.id, reading: waiting } : null} close={() => setPanel(null)}
        actions={(tile, close) => actions(tile, close, null)} above={<Hands call={call} people={people} me={me} powers={powers} />}
        below={powers.hush && people.length > 1 && <Button small onClick={doings.hush}><Icon name="muted" />{t("room.hush")}</Button>} />}
      {shown === "chat" && <RoomChat call={call} powers={powers} others={others} to={to} address={setTo} draft={draft} setDraft={setDraft}
        close={() => setPanel(null)} />}
      <RoomControls call={call} view={view} may={may} powers={powers} people={people} me={me} meeting={meeting} isPhone={isPhone} layout={layout} arrange={setLayout}
        panel={shown} openPanel={setPanel} waiting={waiting?.value?.items.length ?? 0} float={small.isThere ? small.open : null} />
      {small.body && <RoomFloat call={call} view={view} scene={scene} people={people} me={me} body={small.body} close={small.close} />}
      {doings.dialog}
    </main>
  );
}

/** Who asks to speak: oneself, or, for those who let others, anybody. */
function Asking({ people, me, powers, isOpen, open }: { people: readonly Person[]; me: string; powers: Powers; isOpen: boolean; open: () => void }) {
  const { t } = useWords();
  const raised = hands(people), isRaised = raised.some(one => one.id === me), others = raised.filter(one => one.id !== me).length;
  return (
    <>
      {powers.asks && <p className="room-note" role="status">{t(isRaised ? "room.hand.seen" : "room.hand.asks")}</p>}
      {powers.stage && others > 0 && !isOpen && <p className="room-note">{t("room.hand.count", { count: others })}{" "}<Button small onClick={open}>{t("join.people")}</Button></p>}
    </>
  );
}

/** Whether one is in, and whether sound and pictures come and go; what is not so is said. */
function State({ view }: { view: CallView }) {
  const { t } = useWords();
  const { room, trouble, isConnecting } = view;
  const text = room.is === "connecting" ? t("join.connecting") : room.is === "lost" ? t("join.lost")
    : trouble === "forbidden" ? t("room.forbidden") : trouble ? t("room.away") : isConnecting ? t("room.connecting") : t("join.in");
  const isWell = room.is === "in" && !trouble && !isConnecting;
  return (
    <p className={isWell ? "hidden" : `room-note${room.is === "lost" || trouble ? " warn" : ""}`} role="status">
      {text}{!isWell && trouble !== "forbidden" && <>{" "}<a href="/network-test" target="_blank" rel="noopener">{t("network.title")}</a></>}
    </p>
  );
}

/** What a host has switched off of one's own. */
function Stopped({ own }: { own: Person | undefined }) {
  const { t } = useWords();
  if (!own?.stoppedBy || own.stoppedBy === own.id) return null;
  return <>{(own.off ?? []).map(media => <p key={media} className="room-note warn" role="status">{t(`room.stopped.${media}`)}</p>)}</>;
}

/** A meeting that has lasted almost as long as one may: it is said twice before it ends. */
function Term({ endsAtMs }: { endsAtMs: number | null }) {
  const { t } = useWords();
  const now = useNow(endsAtMs !== null), minutes = endsAtMs === null ? Infinity : (endsAtMs - now) / 60_000;
  return <p className={minutes > 10 ? "hidden" : "room-note warn"} role="status">{minutes > 10 ? "" : t(minutes > 1 ? "room.endsSoon" : "room.endsNow")}</p>;
}

/** How long the meeting runs, or how long one is in it where one is not told more. */
function Clock({ from }: { from: string | null }) {
  const { t, duration } = useWords();
  const now = useNow(true), [begin] = useState(() => (from ? Date.parse(from) : now));
  return <span className="clock" role="timer" aria-label={t("room.clock")}>{duration((now - begin) / 1000)}</span>;
}

/** The guests who wait, read anew while one is there; null for who is no host, or is none any more. */
function useWaiting(meeting: Meeting | undefined, may: boolean): Reading<{ items: WaitingGuest[] }> | null {
  const isHost = may && (meeting?.role === "host" || meeting?.role === "co_host");
  const reading = useWaitingOf(isHost ? meeting?.id ?? "" : "");
  return isHost ? reading : null;
}

/** Also while nobody looks: somebody waits for it. */
function useWaitingOf(id: string): Reading<{ items: WaitingGuest[] }> {
  const [reading, setReading] = useState<{ value?: { items: WaitingGuest[] } }>({});
  const again = useCallback(() => {
    if (id === "") return;
    // What cannot be read now is read with the next one.
    client.call("getMeetingsByIdWaiting", { id }).then(value => setReading({ value }), () => undefined);
  }, [id]);
  useEffect(() => {
    if (id === "") return;
    again();
    const timer = setInterval(again, 3000);
    return () => clearInterval(timer);
  }, [id, again]);
  return { ...reading, again };
}

function useMedia(query: string): boolean {
  const watch = useCallback((watcher: () => void) => {
    const list = matchMedia(query);
    list.addEventListener("change", watcher);
    return () => list.removeEventListener("change", watcher);
  }, [query]);
  return useSyncExternalStore(watch, () => matchMedia(query).matches);
}
