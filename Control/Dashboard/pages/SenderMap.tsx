import land from "coast";
import { useEffect, useMemo, useRef, useState, type KeyboardEvent, type PointerEvent } from "react";
import type { Sender } from "../api/Schema";
import { Button } from "../design/Button";
import { Icon } from "../design/Icon";
import { picture, useAll } from "../live/Live";
import { useWords } from "../text/Text";
import { bounded, canZoomIn, fitting, together, zoomed, type View } from "./MapView";
import { place, width, type Point } from "./projection";
import { SenderCard } from "./SenderCard";
import { whereabouts } from "./whereabouts";

type Standing = { sender: Sender; at: Point; look: "live" | "online" | "offline" };

/** Where senders move they are drawn anew so often. */
const pace = 1000;
/** In pixels: nearer than this one stands on the other. */
const near = 26;
const arrows: Record<string, readonly [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** The senders whose place is known, on a map that is part of the application: nothing is asked of any other host. */
export default function SenderMap() {
  const { t, number } = useWords();
  const standing = useStanding(), senders = useAll("sender").size;
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const shown = chosen.flatMap(id => standing.find(one => one.sender.id === id)?.sender ?? []);
  return (
    <>
      <Sheet standing={standing} chosen={chosen} choose={setChosen} />
      <p className="muted">{t("map.known", { known: number(standing.length), all: number(senders) })} {t("map.how")}</p>
      {shown.length > 0 && <ul className="cards" aria-label={t("map.chosen")}>{shown.map(one => <li key={one.id}><SenderCard sender={one} /></li>)}</ul>}
      <p className="muted">{t("map.source")}</p>
    </>
  );
}

/** Each sender whose place is known, how it is, and where. */
function useStanding(): readonly Standing[] {
  const senders = useAll("sender"), broadcasts = useAll("broadcast"), [beat, setBeat] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => { if (!document.hidden) setBeat(before => before + 1); }, pace);
    return () => clearInterval(timer);
  }, []);
  return useMemo(() => {
    const busy = new Set([...broadcasts.values()].filter(one => one.state !== "ended").map(one => one.sender));
    return [...senders.values()].sort((a, b) => a.name.localeCompare(b.name)).flatMap(sender => {
      const spot = whereabouts(sender, picture.one("telemetry", sender.id));
      return spot ? [{ sender, at: place(spot), look: busy.has(sender.id) ? "live" as const : sender.online ? "online" as const : "offline" as const }] : [];
    });
    // The beat is what telemetry is looked at by.
  }, [senders, broadcasts, beat]);
}

type SheetProps = { standing: readonly Standing[]; chosen: readonly string[]; choose: (ids: readonly string[]) => void };

function Sheet({ standing, chosen, choose }: SheetProps) {
  const { t } = useWords();
  const element = useRef<HTMLDivElement>(null), [size, setSize] = useState({ width: 800, height: 440 }), [moved, setMoved] = useState<View | null>(null);
  useEffect(() => {
    const sheet = element.current;
    if (!sheet) return;
    const observer = new ResizeObserver(() => setSize({ width: Math.max(1, sheet.clientWidth), height: Math.max(1, sheet.clientHeight) }));
    observer.observe(sheet);
    return () => observer.disconnect();
  }, []);
  const shape = size.height / size.width;
  // Where nobody has moved it all of them are seen, whoever comes.
  const view = moved ? bounded(moved, shape) : fitting(standing.map(one => one.at), shape);
  const scale = size.width / view.across;
  const zoom = (factor: number, at?: Point) => setMoved(zoomed(view, factor, shape, at));
  const drag = useDrag(view, scale, setMoved);
  useWheel(element, (factor, at) => zoom(factor, at));
  const key = (event: KeyboardEvent) => {
    const way = arrows[event.key];
    if (way) setMoved({ ...view, x: view.x + way[0] * view.across / 8, y: view.y + way[1] * view.across * shape / 8 });
    else if (event.key === "+") zoom(0.5);
    else if (event.key === "-") zoom(2);
    else return;
    event.preventDefault();
  };
  const press = (group: readonly Standing[]) => {
    choose(group.map(one => one.sender.id));
    if (group.length > 1 && canZoomIn(view)) setMoved(fitting(group.map(one => one.at), shape));
  };
  return (
    <div className="map" ref={element} role="group" aria-label={t("map.title")} onKeyDown={key} {...drag}>
      <svg viewBox={`${view.x} ${view.y} ${view.across} ${view.across * shape}`} preserveAspectRatio="none" tabIndex={0} role="img" aria-label={t("map.land")}>
        <path d={land} />
      </svg>
      {together(standing, one => one.at, near / scale).map(group => {
        const [first] = group, [x, y] = first!.at, left = (x - view.x) * scale, top = (y - view.y) * scale;
        if (left < 0 || top < 0 || left > size.width || top > size.height) return null;
        return <Pin key={first!.sender.id} group={group} left={left} top={top} isChosen={group.some(one => chosen.includes(one.sender.id))} press={() => press(group)} />;
      })}
      <div className="zoom">
        <Button small aria-label={t("map.in")} disabled={!canZoomIn(view)} onClick={() => zoom(0.5)}><Icon name="enrollment" /></Button>
        <Button small aria-label={t("map.out")} disabled={view.across >= width} onClick={() => zoom(2)}><Icon name="less" /></Button>
        <Button small disabled={moved === null} onClick={() => setMoved(null)}>{t("map.all")}</Button>
      </div>
    </div>
  );
}

type PinProps = { group: readonly Standing[]; left: number; top: number; isChosen: boolean; press: () => void };

/** A sender, or as many as stand too close to each other; the worst look of them is its own, as in a list the first. */
function Pin({ group, left, top, isChosen, press }: PinProps) {
  const { t } = useWords();
  const look = (["live", "offline", "online"] as const).find(look => group.some(one => one.look === look))!;
  const names = group.map(one => t("map.pin", { name: one.sender.name, state: t(`map.${one.look}`) })).join(", ");
  return (
    <button type="button" className={`pin ${look}`} style={{ left, top }} aria-pressed={isChosen} aria-label={names} onClick={press}>
      <span className="dot" aria-hidden="true">{group.length > 1 ? group.length : ""}</span>
      <span className="name" aria-hidden="true">{group.length > 1 ? t("map.several", { name: group[0]!.sender.name, more: group.length - 1 }) : group[0]!.sender.name}</span>
    </button>
  );
}

/** The map follows the pointer; a press on a pin is no drag. */
function useDrag(view: View, scale: number, move: (view: View) => void) {
  const from = useRef<{ view: View; x: number; y: number } | null>(null);
  return {
    onPointerDown: (event: PointerEvent<HTMLDivElement>) => {
      if (event.button !== 0 || (event.target as Element).closest("button")) return;
      from.current = { view, x: event.clientX, y: event.clientY };
      event.currentTarget.setPointerCapture(event.pointerId);
    },
    onPointerMove: (event: PointerEvent<HTMLDivElement>) => {
      const start = from.current;
      if (start) move({ ...start.view, x: start.view.x - (event.clientX - start.x) / scale, y: start.view.y - (event.clientY - start.y) / scale });
    },
    onPointerUp: () => { from.current = null; },
    onPointerCancel: () => { from.current = null; },
  };
}

/** A wheel that is turned with Ctrl, or two fingers on a touch pad: without it the page scrolls. */
function useWheel(element: React.RefObject<HTMLElement>, zoom: (factor: number, at: Point) => void) {
  const latest = useRef(zoom);
  latest.current = zoom;
  useEffect(() => {
    const sheet = element.current;
    if (!sheet) return;
    const turn = (event: WheelEvent) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      const box = sheet.getBoundingClientRect();
      latest.current(Math.exp(Math.max(-100, Math.min(100, event.deltaY)) / 150), [(event.clientX - box.x) / box.width, (event.clientY - box.y) / box.height]);
    };
    sheet.addEventListener("wheel", turn, { passive: false });
    return () => sheet.removeEventListener("wheel", turn);
  }, [element]);
}
