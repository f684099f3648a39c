import { createElement, memo, type ReactNode } from "react";
import { Button } from "../design/Button";
import { Icon } from "../design/Icon";
import { Menu } from "../design/Menu";
import type { ChatMessage } from "../live/Chat";
import { pieces, type Piece } from "../live/Markup";
import { useWords } from "../text/Text";
import type { Orders } from "./roomOrders";

type Props = {
  message: ChatMessage; isMine: boolean; isToMe: boolean; mayPin: boolean; mayTake: boolean; mayAnswer: boolean;
  send: Orders["send"]; address: (id: string) => void;
};

/** What looks alike of it, within the elements that say how. */
function Part({ text, href, marks }: Piece) {
  const inside: ReactNode = href ? <a href={href} title={href} target="_blank" rel="noopener noreferrer nofollow">{text}</a> : text;
  return <>{marks.reduce<ReactNode>((within, mark) => createElement(mark, null, within), inside)}</>;
}

/** One message: what was written is never HTML, and an address leads out of the meeting without a way back into it. */
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
        {pieces(text).map((part, place) => <Part key={place} {...part} />)}
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
