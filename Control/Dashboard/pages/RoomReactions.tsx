import { useEffect, useRef, useState, type CSSProperties } from "react";
import { Floats, reactions, signs, type Floating } from "../live/Reactions";
import type { Person } from "../live/Room";
import type { Call } from "../media/Call";
import { useWords } from "../text/Text";
import type { Orders } from "./roomOrders";

/** Whoever hears the page is told of one in so many milliseconds. */
const pause = 2000;

/** What rises over the room at the moment. @param isSilent it is said somewhere else. */
export function RoomReactions({ call, people, isSilent }: { call: Call; people: readonly Person[]; isSilent?: boolean }) {
  const { t } = useWords();
  const [floats] = useState(() => new Floats()), [shown, setShown] = useState<readonly Floating[]>([]);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const prune = () => {
      const next = floats.prune(performance.now());
      setShown(floats.shown);
      timer = next === null ? undefined : setTimeout(prune, Math.max(0, next - performance.now()) + 10);
    };
    const end = call.room.spectate(reacted => {
      clearTimeout(timer);
      floats.add(reacted, performance.now());
      prune();
    });
    return () => {
      end();
      clearTimeout(timer);
    };
  }, [call, floats]);
  const nameOf = (one: Floating) => people.find(person => person.id === one.participant)?.name ?? t("room.somebody");
  const last = shown[shown.length - 1], text = last ? t("room.reacted", { name: nameOf(last), reaction: t(`room.reaction.${last.reaction}`) }) : "";
  return (
    <>
      <div className="floats" aria-hidden="true">
        {shown.map(one => (
          <span key={one.id} className="float" data-reaction={one.reaction} style={{ "--lane": one.lane } as CSSProperties}>
            <span className="sign">{signs[one.reaction]}</span><span className="who">{nameOf(one)}</span>
          </span>
        ))}
      </div>
      {!isSilent && <Said text={text} />}
    </>
  );
}

function Said({ text }: { text: string }) {
  const [said, setSaid] = useState(""), at = useRef(-Infinity);
  useEffect(() => {
    const now = performance.now();
    if (text === "" || now - at.current < pause) return;
    at.current = now;
    setSaid(text);
  }, [text]);
  return <p className="hidden" role="status">{said}</p>;
}

/** All that one can have rise. */
export function ReactionButtons({ send, close }: { send: Orders["send"]; close: () => void }) {
  const { t } = useWords();
  return (
    <div className="reactions" role="group" aria-label={t("room.react")}>
      {reactions.map(reaction => (
        <button key={reaction} type="button" className="bare" aria-label={t(`room.reaction.${reaction}`)} onClick={() => { close(); send({ type: "react", body: { reaction } }); }}>
          <span aria-hidden="true">{signs[reaction]}</span>
        </button>
      ))}
    </div>
  );
}
