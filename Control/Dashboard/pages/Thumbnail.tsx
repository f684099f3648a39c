import { useEffect, useRef, useState } from "react";
import type { Broadcast } from "../api/Schema";
import { thumbnails } from "../live/Live";
import type { Place } from "../live/Thumbnails";
import { useWords } from "../text/Text";
import { useNow } from "./useEvery";

/** An older picture says how old it is. */
const old = 10_000;

/** What a running broadcast shows: the newest key frame, small. Nothing while there is none; its place is kept while it is read. */
export function Thumbnail({ broadcast, name }: { broadcast: Broadcast; name: string }) {
  const { t, number } = useWords();
  const { id, thumbnailAt } = broadcast;
  const canvas = useRef<HTMLCanvasElement>(null), place = useRef<Place | null>(null);
  const [shownAt, setShownAt] = useState<string | null>(null);
  useEffect(() => {
    const own: Place = {
      show: (picture, at) => {
        const element = canvas.current;
        if (!element) return;
        [element.width, element.height] = [picture.width, picture.height];
        element.getContext("2d")?.drawImage(picture, 0, 0);
        setShownAt(at);
      },
    };
    place.current = own;
    return () => {
      thumbnails.leave(own);
      setShownAt(null);
    };
  }, [id]);
  useEffect(() => { if (thumbnailAt && place.current) thumbnails.want(place.current, id, thumbnailAt); }, [id, thumbnailAt]);
  const isShown = Boolean(thumbnailAt) && shownAt !== null, now = useNow(isShown);
  const ageMs = shownAt ? now - Date.parse(shownAt) : 0, isOld = ageMs > old;
  return (
    <figure className={`thumbnail${isOld ? " old" : ""}`} hidden={!thumbnailAt} data-at={shownAt ?? undefined}>
      <canvas ref={canvas} width={16} height={9} role="img" aria-label={t("thumbnail.of", { name })} />
      {isOld && <figcaption>{t("thumbnail.old", { seconds: number(ageMs / 1000) })}</figcaption>}
    </figure>
  );
}
