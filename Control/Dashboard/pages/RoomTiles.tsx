import { useEffect, useRef, useState, type CSSProperties, type ReactNode, type RefObject } from "react";
import { Badge } from "../design/Badge";
import { Button } from "../design/Button";
import { Icon } from "../design/Icon";
import { Menu } from "../design/Menu";
import { isUp } from "../live/Powers";
import type { Quality } from "../live/Quality";
import type { Person } from "../live/Room";
import { columns, sends, type Scene, type Tile } from "../live/Tiles";
import type { CallView } from "../media/Call";
import { useWords } from "../text/Text";
import { Video } from "./RoomMedia";

/** Between two tiles, in pixels; as the style sheet has it. */
const gap = 8;

/** How large an element is, as it changes. */
function useSize(): [RefObject<HTMLUListElement>, { width: number; height: number }] {
  const element = useRef<HTMLUListElement>(null), [size, setSize] = useState({ width: 0, height: 0 });
  useEffect(() => {
    if (!element.current) return;
    const observer = new ResizeObserver(([entry]) => { if (entry) setSize({ width: entry.contentRect.width, height: entry.contentRect.height }); });
    observer.observe(element.current);
    return () => observer.disconnect();
  }, []);
  return [element, size];
}

type Props = {
  scene: Scene;
  view: CallView;
  people: readonly Person[];
  me: string;
  pinned: string | null;
  turn: (page: number) => void;
  /** What can be done about somebody, from their tile; nothing: there is no menu. */
  actions: (tile: Tile, close: () => void, element: HTMLElement | null) => ReactNode;
};

/** Everybody who is in sight, as large as there is room for. */
export function RoomTiles({ scene, view, people, me, pinned, turn, actions }: Props) {
  const { t } = useWords();
  const [list, size] = useSize(), isStage = scene.large.length > 0;
  const best = columns(scene.small.length, size.width, size.height, gap);
  const shown = (tile: Tile, isLarge: boolean) => {
    const person = people.find(one => one.id === tile.participant);
    return person && <TileView key={tile.id} tile={tile} person={person} isMe={tile.participant === me} isLarge={isLarge} isPinned={tile.id === pinned}
      track={view.pictures.get(tile.id)} isSpeaking={view.speaking.has(tile.participant)} quality={view.quality.get(tile.participant)} actions={actions} />;
  };
  return (
    <section className={`room-stage${isStage ? " staged" : ""}`} aria-label={t("room.pictures")}>
      {isStage && <Large count={scene.large.length}>{scene.large.map(tile => shown(tile, true))}</Large>}
      <ul className="grid" ref={list} style={{ "--tile": `${best.width}px` } as CSSProperties}>{scene.small.map(tile => shown(tile, false))}</ul>
      {scene.pages > 1 && (
        <div className="room-pages" role="group" aria-label={t("room.pages")}>
          <Button small disabled={scene.page === 0} aria-label={t("room.pageBefore")} onClick={() => turn(scene.page - 1)}><Icon name="back" /></Button>
          <span aria-live="polite">{t("room.page", { page: scene.page + 1, pages: scene.pages })}</span>
          <Button small className="next" disabled={scene.page === scene.pages - 1} aria-label={t("room.pageNext")} onClick={() => turn(scene.page + 1)}><Icon name="back" /></Button>
        </div>
      )}
    </section>
  );
}

/** One that has all the room there is, or several that share it. */
function Large({ count, children }: { count: number; children: ReactNode }) {
  const [list, size] = useSize(), best = columns(count, size.width, size.height, gap);
  return <ul className={`large${count > 1 ? " several" : ""}`} ref={list} style={{ "--tile": `${best.width}px` } as CSSProperties}>{children}</ul>;
}

type TileProps = {
  tile: Tile; person: Person; isMe: boolean; isLarge: boolean; isPinned: boolean; isSpeaking: boolean;
  track: MediaStreamTrack | undefined; quality: Quality | undefined; actions: Props["actions"];
};

function TileView({ tile, person, isMe, isLarge, isPinned, isSpeaking, track, quality, actions }: TileProps) {
  const { t } = useWords();
  const menu = useState(false), element = useRef<HTMLLIElement>(null);
  const isScreen = tile.kind === "screen", name = isScreen ? t("room.screenOf", { name: person.name }) : isMe ? t("join.you", { name: person.name }) : person.name;
  const isMuted = !isScreen && !sends(person, "microphone");
  // What opens in the lower half opens upwards.
  const isLow = menu[0] && (element.current?.getBoundingClientRect().top ?? 0) > innerHeight / 2;
  const look = ["tile", isLow && "low", isScreen && "screen", isSpeaking && !isScreen && "speaking", person.isAway && "away", isPinned && "pinned"].filter(Boolean).join(" ");
  const items = actions(tile, () => menu[1](false), element.current);
  return (
    <li className={look} ref={element} data-name={person.name} onContextMenu={event => { if (items) { event.preventDefault(); menu[1](true); } }}>
      {track ? <Video track={track} isOwn={isMe && !isScreen} fits={isScreen || isLarge} /> : <span className="initials" aria-hidden="true">{initials(person.name)}</span>}
      <p className="tag">
        {!isScreen && isUp(person) && <span className="sign up"><Icon name="hand" /><span className="hidden">{t("room.hand.up")}</span></span>}
        {isMuted && <span className="sign"><Icon name="muted" /><span className="hidden">{t("room.isMuted")}</span></span>}
        {isPinned && <span className="sign"><Icon name="pin" /><span className="hidden">{t("room.isPinned")}</span></span>}
        <span className="name">{name}</span>
        {person.kind === "field" && !isScreen && <Badge tone="live">{t("join.kind.field")}</Badge>}
        {person.isAway && <span className="muted">{t("join.away")}</span>}
        {isSpeaking && !isScreen && <span className="hidden">{t("room.speaks")}</span>}
        {quality && !isScreen && <Bars quality={quality} />}
      </p>
      {items && <Menu label={t("room.actionsOf", { name })} button={<Icon name="more" />} shown={menu}>{() => items}</Menu>}
    </li>
  );
}

const strength: Record<Quality, number> = { poor: 1, average: 2, good: 3 };

export function Bars({ quality }: { quality: Quality }) {
  const { t } = useWords();
  return (
    <span className={`bars${quality === "poor" ? " weak" : ""}`} role="img" aria-label={t(`room.quality.${quality}`)} data-tip={t(`room.quality.${quality}`)}>
      {[1, 2, 3].map(bar => <i key={bar} className={bar <= strength[quality] ? "on" : undefined} />)}
    </span>
  );
}

/** `Anna Berg`: AB. */
const initials = (name: string): string => name.trim().split(/\s+/).slice(0, 2).map(part => [...part][0] ?? "").join("").toUpperCase();
