import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from "react";
import type { Answer } from "../api/Client";
import { asFault, client, type Reading } from "../api/Server";
import type { WaitingGuest } from "../api/Schema";
import { Sign } from "../app/Sign";
import { ConfirmDialog } from "../design/Dialog";
import { tellFault } from "../design/Toast";
import { isAudioOnly, rights, type PresetName } from "../live/Rights";
import { Refused, type Person } from "../live/Room";
import { arrange, capacities, type Tile } from "../live/Tiles";
import { Call, type CallView } from "../media/Call";
import { capture } from "../media/Capture";
import { useWords } from "../text/Text";
import { Obstacles, useCapture } from "./DeviceFields";
import { RoomControls } from "./RoomControls";
import { Sounds } from "./RoomMedia";
import { RoomOver } from "./RoomOver";
import { PersonActions, RoomPeople } from "./RoomPeople";
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
  const may = rights(preset), isPhone = useMedia("(max-width: 767px)"), { choice } = useCapture();
  const [pinned, setPinned] = useState<string | null>(null), [layout, setLayout] = useState<"grid" | "speaker">("grid"), [page, setPage] = useState(0);
  const [isPanelOpen, setPanel] = useState(false), [sent, setSent] = useState<Person | null>(null);
  const waiting = useWaiting(meeting), isHost = people.some(one => one.id === me && one.role === "host");
  useEffect(() => { document.title = `${title} · Strata`; }, [title]);
  const scene = arrange(people, me, { pinned, layout, page }, view.spoke, view.speaker, capacities[isPhone ? "phone" : "desktop"]);
  const actions = (tile: Tile, close: () => void, element: HTMLElement | null) => {
    const person = people.find(one => one.id === tile.participant), isPinned = tile.id === pinned, isShown = element !== null && view.pictures.has(tile.id);
    const pin = may.pin ? () => setPinned(isPinned ? null : tile.id) : null;
    const remove = isHost && person && person.id !== me && tile.kind === "person" ? () => setSent(person) : null;
    return pin || remove || isShown ? <PersonActions isPinned={isPinned} pin={pin} isShown={isShown} remove={remove} close={close} element={element} /> : null;
  };
  return (
    <main className={`room${isPanelOpen ? " with-panel" : ""}${isAudioOnly(preset) ? " voices" : ""}`}>
      <header className="room-bar">
        <span className="brand"><Sign /></span>
        <h1>{title}</h1>
        <Clock from={meeting?.startedAt ?? null} />
        {view.quality.has(me) && <span className="own-way"><Bars quality={view.quality.get(me) ?? "good"} /></span>}
      </header>
      <div className="room-notes">
        <State view={view} />
        <News people={people} me={me} />
        <Stopped own={people.find(one => one.id === me)} />
        {(may.camera || may.microphone) && <Obstacles may={{ ...may, camera: may.camera && choice.isSeen, microphone: may.microphone && choice.isHeard }} />}
        {view.obstacle && <p className="room-note warn" role="alert">{t(`room.obstacle.${view.obstacle}`)}</p>}
        {waiting && (waiting.value?.items.length ?? 0) > 0 && !isPanelOpen && <p className="room-note" role="status">{t("room.waiting", { count: waiting.value?.items.length ?? 0 })}</p>}
        <Sounds lines={view.sounds} speaker={choice.speaker} />
      </div>
      <RoomTiles scene={scene} view={view} people={people} me={me} pinned={pinned} turn={setPage} actions={actions} />
      {isPanelOpen && <RoomPeople people={people} me={me} waiting={waiting && meeting ? { meeting: meeting.id, reading: waiting } : null} close={() => setPanel(false)} actions={(tile, close) => actions(tile, close, null)} />}
      <RoomControls call={call} view={view} may={may} people={people} me={me} meeting={meeting} isPhone={isPhone} layout={layout} arrange={setLayout}
        isPanelOpen={isPanelOpen} openPanel={setPanel} waiting={waiting?.value?.items.length ?? 0} />
      {sent && (
        <ConfirmDialog title={t("meetings.refuseOf", { name: sent.name })} submit={t("meetings.refuse")} close={() => setSent(null)} act={() => remove(call, sent.id)} failed={tellFault}>
          <p>{t("room.removeText")}</p>
        </ConfirmDialog>
      )}
    </main>
  );
}

async function remove(call: Call, participant: string): Promise<void> {
  try {
    await call.room.ask({ type: "remove", body: { participant } });
  } catch (thrown) {
    // Whoever has left by themselves is away all the same.
    if (!(thrown instanceof Refused) || thrown.reason !== "missing") throw asFault(thrown);
  }
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

/** Who has come and who has gone, for those who do not see it. */
function News({ people, me }: { people: readonly Person[]; me: string }) {
  const { t } = useWords();
  const [text, setText] = useState(""), before = useRef<ReadonlyMap<string, string> | null>(null);
  useEffect(() => {
    const now = new Map(people.map(one => [one.id, one.name])), last = before.current;
    before.current = now;
    // Whoever comes in themselves is not told of everybody who was there.
    if (!last || last.size === 0) return;
    const come = [...now].filter(([id]) => !last.has(id) && id !== me).map(([, name]) => t("room.came", { name }));
    const gone = [...last].filter(([id]) => !now.has(id)).map(([, name]) => t("room.went", { name }));
    if (come.length + gone.length > 0) setText([...come, ...gone].join(" "));
  }, [people, me, t]);
  return <p className="hidden" role="status">{text}</p>;
}

/** How long the meeting runs, or how long one is in it where one is not told more. */
function Clock({ from }: { from: string | null }) {
  const { t, duration } = useWords();
  const now = useNow(true), [begin] = useState(() => (from ? Date.parse(from) : now));
  return <span className="clock" role="timer" aria-label={t("room.clock")}>{duration((now - begin) / 1000)}</span>;
}

/** The guests who wait, read anew while one is there; null for who is no host. */
function useWaiting(meeting: Meeting | undefined): Reading<{ items: WaitingGuest[] }> | null {
  const isHost = meeting?.role === "host" || meeting?.role === "co_host";
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
