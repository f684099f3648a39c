import { useState, type ReactNode } from "react";
import { client, type Reading } from "../api/Server";
import type { WaitingGuest } from "../api/Schema";
import { Badge } from "../design/Badge";
import { ActButton, Button } from "../design/Button";
import { TextField } from "../design/Field";
import { Icon } from "../design/Icon";
import { Menu } from "../design/Menu";
import { tellFault } from "../design/Toast";
import type { Person } from "../live/Room";
import { isUp } from "../live/Powers";
import { personTile, sends, type Tile } from "../live/Tiles";
import { useWords } from "../text/Text";
import { RoomPanel } from "./RoomPanel";

/** From so many on somebody is looked for; of more than a part is drawn, and the rest by a press. */
const many = 8, part = 100;

export type WaitingList = { meeting: string; reading: Reading<{ items: WaitingGuest[] }> };

type Props = {
  people: readonly Person[]; me: string; waiting: WaitingList | null; close: () => void;
  actions: (tile: Tile, close: () => void) => ReactNode;
  /** What stands above all, and below. */
  above: ReactNode; below: ReactNode;
};

/** Who is there, and of hosts who waits to be. */
export function RoomPeople({ people, me, waiting, close, actions, above, below }: Props) {
  const { t, number } = useWords();
  const [sought, setSought] = useState(""), [most, setMost] = useState(part);
  const found = people.filter(one => one.name.toLocaleLowerCase().includes(sought.trim().toLocaleLowerCase()));
  return (
    <RoomPanel name="people" label={t("join.people")} title={t("room.peopleOf", { count: people.length })} close={close}>
      {waiting && <Waiting {...waiting} />}
      {above}
      {people.length >= many && <TextField label={t("room.search")} type="search" autoComplete="off" value={sought} set={setSought} />}
      {found.length === 0 && <p className="muted">{t("room.nobody")}</p>}
      <ul className="people">
        {found.slice(0, most).map(one => {
          const name = one.id === me ? t("join.you", { name: one.name }) : one.name;
          return (
            <li key={one.id}>
              <span className="name">{name}</span>
              {one.kind && <Badge tone={one.kind === "field" ? "live" : "none"}>{t(`join.kind.${one.kind}`)}</Badge>}
              {one.role !== "member" && <Badge tone={one.role === "host" ? "good" : "none"}>{t(`join.role.${one.role}`)}</Badge>}
              {one.isAway && <Badge tone="warn">{t("join.away")}</Badge>}
              <Sign isOn={sends(one, "microphone")} on="microphone" off="muted" text={t(sends(one, "microphone") ? "room.isHeard" : "room.isMuted")} />
              <Sign isOn={sends(one, "camera")} on="camera" off="unseen" text={t(sends(one, "camera") ? "room.isSeen" : "room.isUnseen")} />
              {isUp(one) && <span className="sign up" data-tip={t("room.hand.up")}><Icon name="hand" /><span className="hidden">{t("room.hand.up")}</span></span>}
              <Actions name={name} items={close => actions(personTile(one.id), close)} />
            </li>
          );
        })}
      </ul>
      {found.length > most && <Button small onClick={() => setMost(most + part)}>{t("room.morePeople", { count: number(found.length - most) })}</Button>}
      {below}
    </RoomPanel>
  );
}

function Sign({ isOn, on, off, text }: { isOn: boolean; on: "microphone" | "camera"; off: "muted" | "unseen"; text: string }) {
  return <span className={`sign${isOn ? "" : " off"}`} data-tip={text}><Icon name={isOn ? on : off} /><span className="hidden">{text}</span></span>;
}

function Actions({ name, items }: { name: string; items: (close: () => void) => ReactNode }) {
  const { t } = useWords();
  // Nothing to do is no menu.
  if (!items(() => undefined)) return null;
  return <Menu label={t("room.actionsOf", { name })} button={<Icon name="more" />}>{items}</Menu>;
}

/** Guests who knock: a host lets them in, or not. */
function Waiting({ meeting: id, reading: { value, again } }: WaitingList) {
  const { t } = useWords();
  const guests = value?.items ?? [];
  if (guests.length === 0) return null;
  const admit = async (guest: string) => { await client.call("postMeetingsByIdWaitingByGuestAdmit", { id, guest }); again(); };
  const refuse = async (guest: string) => { await client.call("deleteMeetingsByIdWaitingByGuest", { id, guest }); again(); };
  // All at once: one who has given up keeps nobody behind them out.
  const admitAll = async () => { await client.call("postMeetingsByIdWaitingAdmit", { id }); again(); };
  return (
    <section className="stack waiting" aria-label={t("meetings.waiting")}>
      <h3>{t("meetings.waiting")}</h3>
      <ul className="people">
        {guests.map(one => (
          <li key={one.id}>
            <span className="name">{one.name}</span>
            <ActButton small act={() => admit(one.id)} failed={tellFault} aria-label={t("meetings.admitOf", { name: one.name })}>{t("meetings.admit")}</ActButton>
            <ActButton small look="quiet" act={() => refuse(one.id)} failed={tellFault} aria-label={t("meetings.refuseOf", { name: one.name })}>{t("meetings.refuse")}</ActButton>
          </li>
        ))}
      </ul>
      {guests.length > 1 && <div className="buttons"><ActButton small act={admitAll} failed={tellFault}>{t("room.admitAll")}</ActButton></div>}
    </section>
  );
}

/** What can be done about somebody: how one sees them oneself, and what their role and one's own let one do. */
export function PersonActions({ isPinned, pin, isShown, items, close, element }: {
  isPinned: boolean; pin: (() => void) | null; isShown: boolean; items: readonly ReactNode[]; close: () => void; element: HTMLElement | null;
}) {
  const { t } = useWords();
  const video = () => element?.querySelector("video");
  const after = (act: () => unknown) => () => { close(); act(); };
  return (
    <>
      {pin && <Button onClick={after(pin)}><Icon name="pin" />{t(isPinned ? "room.unpin" : "room.pin")}</Button>}
      {isShown && document.fullscreenEnabled && <Button onClick={after(() => attempt(video()?.requestFullscreen()))}>{t("room.full")}</Button>}
      {isShown && document.pictureInPictureEnabled && <Button onClick={after(() => attempt(video()?.requestPictureInPicture()))}>{t("room.float")}</Button>}
      {items}
    </>
  );
}

/** What a browser does not let us is not done, and that is seen. */
const attempt = (done: Promise<unknown> | undefined) => void done?.catch(() => undefined);
