import { useCallback, useEffect, useState } from "react";
import { createPortal } from "react-dom";
import { Icon } from "../design/Icon";
import type { Person } from "../live/Room";
import { personTile, type Scene } from "../live/Tiles";
import type { Call, CallView } from "../media/Call";
import { useWords } from "../text/Text";
import { Video } from "./RoomMedia";
import { RoomReactions } from "./RoomReactions";

/** Not every browser has windows that stay above all others. Source: Document Picture-in-Picture, section 5. */
type Door = { requestWindow: (size: { width: number; height: number }) => Promise<Window> };
const door = () => (window as unknown as { documentPictureInPicture?: Door }).documentPictureInPicture;

/** A small window with the meeting in it, that stays in sight while somebody works with another. */
export type SmallWindow = { isThere: boolean; body: HTMLElement | null; open: () => void; close: () => void };

export function useSmallWindow(): SmallWindow {
  const [shown, setShown] = useState<Window | null>(null);
  const open = useCallback(() => {
    // What a browser does not let us is not done, and that is seen.
    door()?.requestWindow({ width: 400, height: 260 }).then(opened => {
      dress(opened.document);
      opened.addEventListener("pagehide", () => setShown(null));
      setShown(opened);
    }, () => undefined);
  }, []);
  useEffect(() => () => shown?.close(), [shown]);
  return { isThere: door() !== undefined, body: shown?.document.body ?? null, open, close: useCallback(() => setShown(null), []) };
}

/** As this page looks: with its style sheets, its theme and its language. */
function dress(other: Document): void {
  const own = document.documentElement, root = other.documentElement;
  for (const sheet of document.querySelectorAll<HTMLLinkElement>("link[rel=stylesheet]")) {
    const link = other.createElement("link");
    link.rel = "stylesheet";
    link.href = sheet.href;
    other.head.append(link);
  }
  other.title = document.title;
  root.lang = own.lang;
  if (own.dataset.theme) root.dataset.theme = own.dataset.theme;
  root.style.cssText = own.style.cssText;
}

type Props = { call: Call; view: CallView; scene: Scene; people: readonly Person[]; me: string; body: HTMLElement; close: () => void };

/** Who is large, else who speaks, else whoever else is there. */
export function RoomFloat({ call, view, scene, people, me, body, close }: Props) {
  const { t } = useWords();
  const other = people.find(one => one.id === view.speaker && one.id !== me) ?? people.find(one => one.id !== me) ?? people.find(one => one.id === me);
  const tile = scene.large[0] ?? (other && personTile(other.id)), person = people.find(one => one.id === tile?.participant);
  const track = tile && view.pictures.get(tile.id), isHeard = view.microphone === "on" || view.microphone === "starting";
  const mute = t(isHeard ? "room.mute" : "room.unmute");
  return createPortal(
    <main className="small-window">
      {track ? <Video track={track} isOwn={person?.id === me && tile?.kind === "person"} fits /> : <span className="initials" aria-hidden="true">{person?.name.slice(0, 1)}</span>}
      <RoomReactions call={call} people={people} isSilent />
      <p className="tag"><span className="name">{person?.name}</span></p>
      <div className="buttons">
        {view.may.microphone && <button type="button" className={`control ${view.microphone}`} aria-label={mute} title={mute} onClick={() => call.hear(!isHeard)}><Icon name={isHeard ? "microphone" : "muted"} /></button>}
        <button type="button" className="control" aria-label={t("close")} title={t("close")} onClick={close}><Icon name="close" /></button>
      </div>
    </main>, body);
}
