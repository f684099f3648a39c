import { useEffect, useRef, useState } from "react";
import { tell } from "../design/Toast";
import { isUp } from "../live/Powers";
import type { Person } from "../live/Room";
import type { Call } from "../media/Call";
import { useWords } from "../text/Text";

/** So much of what was written is read out at once; the rest can be read. */
const most = 200;
/** So many pieces of news stand: those who hear the page have heard the earlier ones. */
const kept = 4;

type Known = { people: ReadonlyMap<string, Person>; newest: string; isLocked: boolean };

/** Who has come and gone, raised a hand or written something, for those who do not see it. */
export function RoomNews({ call, people, me }: { call: Call; people: readonly Person[]; me: string }) {
  const { t } = useWords();
  const { chat, conditions: { isLocked } } = call.room;
  const [news, setNews] = useState<readonly { id: number; text: string }[]>([]), before = useRef<Known | null>(null), count = useRef(0);
  useEffect(() => {
    const now: Known = { people: new Map(people.map(one => [one.id, one])), newest: chat.messages[chat.messages.length - 1]?.id ?? "", isLocked }, last = before.current;
    before.current = now;
    // Whoever comes in themselves is not told of everybody who was there.
    if (!last || last.people.size === 0) return;
    const others = people.filter(one => one.id !== me);
    const texts = [
      ...others.filter(one => !last.people.has(one.id)).map(({ name }) => t("room.came", { name })),
      ...[...last.people.values()].filter(one => !now.people.has(one.id)).map(({ name }) => t("room.went", { name })),
      ...others.filter(one => isUp(one) && !isUp(last.people.get(one.id) ?? { ...one, hand: null })).map(({ name }) => t("room.hand.raised", { name })),
      ...chat.messages.filter(one => one.id > last.newest && !chat.isMine(one)).slice(-kept)
        .map(({ name, to, text }) => t(to ? "room.chat.saidToYou" : "room.chat.said", { name, text: text.slice(0, most) })),
      ...(isLocked === last.isLocked ? [] : [t(isLocked ? "room.lockedNow" : "room.unlockedNow")]),
    ];
    if (texts.length > 0) setNews(stood => [...stood, ...texts.map(text => ({ id: count.current++, text }))].slice(-kept));
  }, [people, chat, isLocked, me, t]);
  return <div className="hidden" role="status" aria-atomic="false">{news.map(one => <p key={one.id}>{one.text}</p>)}</div>;
}

/** Tells somebody what they may do from now on, and what no more. */
export function useNewRights(call: Call): void {
  const { t } = useWords();
  const { rights } = call.room, before = useRef(rights);
  useEffect(() => {
    const last = before.current;
    before.current = rights;
    if (!last || !rights || last === rights) return;
    // A role says all that goes with it.
    if (last.role !== rights.role) {
      tell(t("room.roleNow", { role: t(`room.role.${rights.role}`) }));
      return;
    }
    const isLet = rights.audio === "allowed" || rights.video === "allowed", wasLet = last.audio === "allowed" || last.video === "allowed";
    if (isLet !== wasLet) tell(t(isLet ? "room.granted" : "room.withdrawn"));
    if (rights.isChatMuted !== last.isChatMuted) tell(t(rights.isChatMuted ? "room.chat.silence.muted" : "room.chat.given"));
  }, [rights, t]);
}
