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
import { personTile, sends, type Tile } from "../live/Tiles";
import { useWords } from "../text/Text";

/** From so many on somebody is looked for. */
const many = 8;

export type WaitingList = { meeting: string; reading: Reading<{ items: WaitingGuest[] }> };

type Props = {
  people: readonly Person[]; me: string; waiting: WaitingList | null; close: () => void;
  actions: (tile: Tile, close: () => void) => ReactNode;
};

/** Who is there, and of hosts who waits to be. */
export function RoomPeople({ people, me, waiting, close, actions }: Props) {
  const { t } = useWords();
  const [sought, setSought] = useState("");
  const found = people.filter(one => one.name.toLocaleLowerCase().includes(sought.trim().toLocaleLowerCase()));
  return (
    <aside className="room-panel" id="people" aria-label={t("join.people")}>
      <header>
        <h2>{t("room.peopleOf", { count: people.length })}</h2>
        <button type="button" className="bare" aria-label={t("close")} onClick={close}><Icon name="close" /></button>
      </header>
      {waiting && <Waiting {...waiting} />}
      {people.length >= many && <TextField label={t("room.search")} type="search" autoComplete="off" value={sought} set={setSought} />}
      {found.length === 0 && <p className="muted">{t("room.nobody")}</p>}
      <ul className="people">
        {found.map(one => {
          const name = one.id === me ? t("join.you", { name: one.name }) : one.name;
          return (
            <li key={one.id}>
              <span className="name">{name}</span>
              {one.kind && <Badge tone={one.kind === "field" ? "live" : "none"}>{t(`join.kind.${one.kind}`)}</Badge>}
              {one.role !== "member" && <Badge tone={one.role === "host" ? "good" : "none"}>{t(`join.role.${one.role}`)}</Badge>}
              {one.isAway && <Badge tone="warn">{t("join.away")}</Badge>}
              <Sign isOn={sends(one, "microphone")} on="microphone" off="muted" text={t(sends(one, "microphone") ? "room.isHeard" : "room.isMuted")} />
              <Sign isOn={sends(one, "camera")} on="camera" off="unseen" text={t(sends(one, "camera") ? "room.isSeen" : "room.isUnseen")} />
              <Actions name={name} items={close => actions(personTile(one.id), close)} />
            </li>
          );
        })}
      </ul>
    </aside>
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

/** What everybody may do about somebody, by what they may and what there is. */
export function PersonActions({ isPinned, pin, isShown, remove, close, element }: {
  isPinned: boolean; pin: (() => void) | null; isShown: boolean; remove: (() => void) | null; close: () => void; element: HTMLElement | null;
}) {
  const { t } = useWords();
  const video = () => element?.querySelector("video");
  const after = (act: () => unknown) => () => { close(); act(); };
  return (
    <>
      {pin && <Button onClick={after(pin)}><Icon name="pin" />{t(isPinned ? "room.unpin" : "room.pin")}</Button>}
      {isShown && document.fullscreenEnabled && <Button onClick={after(() => attempt(video()?.requestFullscreen()))}>{t("room.full")}</Button>}
      {isShown && document.pictureInPictureEnabled && <Button onClick={after(() => attempt(video()?.requestPictureInPicture()))}>{t("room.float")}</Button>}
      {remove && <Button look="grave" onClick={after(remove)}>{t("meetings.refuse")}</Button>}
    </>
  );
}

/** What a browser does not let us is not done, and that is seen. */
const attempt = (done: Promise<unknown> | undefined) => void done?.catch(() => undefined);
