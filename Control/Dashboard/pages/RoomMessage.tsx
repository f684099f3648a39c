import { memo } from "react";
import { Button } from "../design/Button";
import { Icon } from "../design/Icon";
import { Menu } from "../design/Menu";
import type { ChatMessage } from "../live/Chat";
import { stretches } from "../live/Links";
import { useWords } from "../text/Text";
import type { Orders } from "./roomOrders";

type Props = {
  message: ChatMessage; isMine: boolean; isToMe: boolean; mayPin: boolean; mayTake: boolean; mayAnswer: boolean;
  send: Orders["send"]; address: (id: string) => void;
};

/** One message, as text: what was written is never markup, and an address leads out of the meeting without a way back into it. */
export const Message = memo(function Message({ message, isMine, isToMe, mayPin, mayTake, mayAnswer, send, address }: Props) {
  const { t, hour, moment } = useWords();
  const { id, name, to, toName, text, atMs, isPinned } = message, at = new Date(atMs);
  const isToday = at.toDateString() === new Date().toDateString();
  const after = (close: () => void, act: () => void) => () => { close(); act(); };
  return (
    <li className={["message", isMine && "mine", to && "alone"].filter(Boolean).join(" ")}>
      <p className="by">
        <strong>{isMine ? t("join.you", { name }) : name}</strong>
        {to && <span className="to">{isToMe ? t("room.chat.toYou") : t("room.chat.toOne", { name: toName ?? "" })}</span>}
        {isPinned && <span className="sign"><Icon name="pin" /><span className="hidden">{t("room.isPinned")}</span></span>}
        <time dateTime={at.toISOString()} title={moment(atMs)}>{isToday ? hour(atMs) : moment(atMs)}</time>
      </p>
      <p className="text" dir="auto">
        {stretches(text).map((part, place) => part.href ? <a key={place} href={part.href} title={part.href} target="_blank" rel="noopener noreferrer nofollow">{part.text}</a> : part.text)}
      </p>
      {(mayPin || mayTake || mayAnswer) && (
        <Menu label={t("room.chat.actionsOf", { name })} button={<Icon name="more" />}>{close => (
          <>
            {mayAnswer && <Button onClick={after(close, () => address(message.from))}>{t("room.chat.answer")}</Button>}
            {mayPin && <Button onClick={after(close, () => send({ type: "pin", body: { message: id, isPinned: !isPinned } }))}>{t(isPinned ? "room.chat.unpin" : "room.chat.pin")}</Button>}
            {mayTake && <Button look="grave" onClick={after(close, () => send({ type: "unsay", body: { message: id } }))}>{t(isMine ? "room.chat.takeBack" : "room.chat.takeAway")}</Button>}
          </>
        )}</Menu>
      )}
    </li>
  );
});
