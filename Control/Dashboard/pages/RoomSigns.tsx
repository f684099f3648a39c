import { Icon } from "../design/Icon";
import { Menu } from "../design/Menu";
import { isUp, type Powers } from "../live/Powers";
import type { Person } from "../live/Room";
import type { Call } from "../media/Call";
import { useWords } from "../text/Text";
import { ReactionButtons } from "./RoomReactions";
import { useOrders } from "./roomOrders";

/** One's own hand, up once the server has said so, and what one can have rise for a moment. */
export function RoomSigns({ call, powers, own, isPhone }: { call: Call; powers: Powers; own: Person | undefined; isPhone: boolean }) {
  const { t } = useWords();
  const { send } = useOrders(call);
  // There is less room on a phone: what is not needed to be heard stands in the menu.
  return (
    <>
      {powers.hand && (!isPhone || powers.asks) && <HandButton call={call} own={own} />}
      {!isPhone && <Menu label={t("room.react")} button={<Icon name="smile" />}>{close => <ReactionButtons send={send} close={close} />}</Menu>}
    </>
  );
}

function HandButton({ call, own }: { call: Call; own: Person | undefined }) {
  const { t } = useWords();
  const { send } = useOrders(call), isRaised = own !== undefined && isUp(own), text = t(isRaised ? "room.hand.lower" : "room.hand.raise");
  return (
    <button type="button" className={`control${isRaised ? " on" : ""}`} data-tip={text} aria-label={text} onClick={() => send({ type: "hand", body: { isUp: !isRaised } })}>
      <Icon name="hand" />
    </button>
  );
}

/** What is written, with how much of it is new. */
export function ChatButton({ unread, isOpen, open }: { unread: number; isOpen: boolean; open: (isOpen: boolean) => void }) {
  const { t, number } = useWords();
  return (
    <button type="button" id="open-chat" className="control" aria-expanded={isOpen} aria-controls="chat" data-tip={t("room.chat")}
      aria-label={unread > 0 ? t("room.chat.unread", { count: unread }) : t("room.chat")} onClick={() => open(!isOpen)}>
      <Icon name="meetings" />{unread > 0 && <span className="waits" aria-hidden="true">{number(Math.min(unread, 99))}</span>}
    </button>
  );
}
