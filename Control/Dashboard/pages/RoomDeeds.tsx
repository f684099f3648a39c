import { useState, type ReactNode } from "react";
import { Badge } from "../design/Badge";
import { Button } from "../design/Button";
import { ConfirmDialog, FormDialog } from "../design/Dialog";
import { SelectField, TextField } from "../design/Field";
import { Icon } from "../design/Icon";
import { tellFault } from "../design/Toast";
import { deeds, hands, spotlit, type Powers } from "../live/Powers";
import type { MeetingRole } from "../live/Rights";
import type { Person } from "../live/Room";
import type { Call } from "../media/Call";
import { useWords } from "../text/Text";
import { useOrders } from "./roomOrders";

type Asked = { what: "remove" | "rename" | "role"; person: Person } | { what: "hush" } | null;

/** What one does about somebody who is there. */
export type Doings = {
  /** For a menu; empty where there is nothing to do. */
  items: (person: Person, close: () => void) => readonly ReactNode[];
  /** What asks before it is done. */
  dialog: ReactNode;
  hush: () => void;
};

/** @param write to one alone. */
export function useDoings(call: Call, me: string, write: (id: string) => void): Doings {
  const { t } = useWords();
  const { ask, send } = useOrders(call), { conditions, rights } = call.room;
  const [asked, setAsked] = useState<Asked>(null);
  // The server tells nobody from whom the word was taken, nor who was let speak and is silent: this page knows it of what it has done itself.
  const [silenced, setSilenced] = useState<readonly string[]>([]), [staged, setStaged] = useState<readonly string[]>([]);
  const items = (person: Person, close: () => void): readonly ReactNode[] => {
    const may = deeds(rights, conditions, me, person), { id } = person;
    const isOnStage = staged.includes(id) || person.tracks.length > 0, isLarge = conditions.spotlight.includes(id), isSilenced = silenced.includes(id);
    const item = (text: string, act: () => void, look: "plain" | "grave" = "plain") => <Button key={text} look={look} onClick={() => { close(); act(); }}>{text}</Button>;
    const mark = (put: typeof setStaged, isMarked: boolean) => put(now => [...now.filter(one => one !== id), ...(isMarked ? [id] : [])]);
    const stage = () => void ask({ type: "allow", body: { participant: id, media: isOnStage ? [] : ["audio", "video"] } }).then(() => mark(setStaged, !isOnStage), tellFault);
    const silence = () => void ask({ type: "mute-chat", body: { participant: id, isMuted: !isSilenced } }).then(() => mark(setSilenced, !isSilenced), tellFault);
    return [
      may.whisper && item(t("room.whisper"), () => write(id)),
      may.stage && item(t(isOnStage ? "room.stage.take" : "room.stage.let"), stage),
      may.lower && item(t("room.hand.take"), () => send({ type: "hand", body: { participant: id, isUp: false } })),
      ...may.stop.map(media => item(t(`room.stop.${media}`), () => send({ type: "stop", body: { participant: id, media } }))),
      may.spotlight && item(t(isLarge ? "room.unspotlight" : "room.spotlight"), () => send({ type: "spotlight", body: { participants: spotlit(conditions.spotlight, id) } })),
      may.rename && item(t("room.rename"), () => setAsked({ what: "rename", person })),
      may.roles.length > 0 && item(t("room.role.change"), () => setAsked({ what: "role", person })),
      may.silence && item(t(isSilenced ? "room.unsilence" : "room.silence"), silence),
      may.remove && item(t("meetings.refuse"), () => setAsked({ what: "remove", person }), "grave"),
    ].filter(Boolean);
  };
  const close = () => setAsked(null);
  return { items, dialog: asked && <Asking call={call} me={me} asked={asked} close={close} />, hush: () => setAsked({ what: "hush" }) };
}

function Asking({ call, me, asked, close }: { call: Call; me: string; asked: NonNullable<Asked>; close: () => void }) {
  const { t } = useWords();
  const { ask } = useOrders(call);
  switch (asked.what) {
    case "hush": return (
      <ConfirmDialog title={t("room.hush")} submit={t("room.hush")} close={close} act={() => ask({ type: "stop", body: { media: "audio" } })}><p>{t("room.hushText")}</p></ConfirmDialog>
    );
    case "rename": return <Renaming call={call} me={me} person={asked.person} close={close} />;
    case "role": return <Casting call={call} me={me} person={asked.person} close={close} />;
    case "remove": return <Removing call={call} person={asked.person} close={close} />;
  }
}

function Removing({ call, person: { id, name }, close }: { call: Call; person: Person; close: () => void }) {
  const { t } = useWords();
  const { ask } = useOrders(call);
  const remove = async () => {
    // Whoever has left by themselves is away all the same.
    if (call.view.room.is !== "over" && call.view.room.people.some(one => one.id === id)) await ask({ type: "remove", body: { participant: id } });
  };
  return <ConfirmDialog title={t("meetings.refuseOf", { name })} submit={t("meetings.refuse")} close={close} act={remove}><p>{t("room.removeText")}</p></ConfirmDialog>;
}

type OfPerson = { call: Call; me: string; person: Person; close: () => void };

function Renaming({ call, me, person, close }: OfPerson) {
  const { t } = useWords();
  const { ask } = useOrders(call);
  const [name, setName] = useState(person.name);
  const rename = () => ask({ type: "rename", body: { ...(person.id !== me && { participant: person.id }), name: name.trim() } });
  return (
    <FormDialog title={t("room.renameOf", { name: person.name })} submit={t("room.rename")} close={close} act={rename}>
      <TextField label={t("name")} hint={t("join.nameHint")} required minLength={2} maxLength={50} autoComplete="off" value={name} set={setName} />
    </FormDialog>
  );
}

function Casting({ call, me, person, close }: OfPerson) {
  const { t } = useWords();
  const { ask } = useOrders(call);
  const { roles } = deeds(call.room.rights, call.room.conditions, me, person);
  const [chosen, setChosen] = useState(""), role = roles.find(one => one === chosen) ?? roles[0];
  const act = async () => { if (role) await ask({ type: "promote", body: { participant: person.id, role } }); };
  const options = roles.map((one: MeetingRole) => [one, t(`room.role.${one}`)] as const);
  return (
    <FormDialog title={t("room.roleOf", { name: person.name })} submit={t("room.role.change")} close={close} ready={role !== undefined} act={act}>
      <p>{t("room.roleText", { role: t(`room.role.${person.meetingRole}`) })}</p>
      <SelectField label={t("room.roleNew")} value={role ?? ""} set={setChosen} options={options} />
    </FormDialog>
  );
}

/** Whose hands are up, the first one first; who lets others speak answers them here. */
export function Hands({ call, people, me, powers }: { call: Call; people: readonly Person[]; me: string; powers: Powers }) {
  const { t, number } = useWords();
  const { send } = useOrders(call), { conditions, rights } = call.room;
  const raised = hands(people);
  if (raised.length === 0) return null;
  return (
    <section className="stack waiting" aria-label={t("room.hand.all")}>
      <h3>{t("room.hand.all")}</h3>
      <ol className="hands">
        {raised.map((one, place) => {
          const name = one.id === me ? t("join.you", { name: one.name }) : one.name, may = deeds(rights, conditions, me, one);
          const allow = () => send({ type: "allow", body: { participant: one.id, media: ["audio", "video"] } });
          return (
            <li key={one.id}>
              <Badge>{number(place + 1)}</Badge>
              <span className="name">{name}</span>
              {powers.stage && may.stage && <Button small onClick={allow} aria-label={t("room.stage.letOf", { name })}>{t("room.stage.let")}</Button>}
              {may.lower && <Button small look="quiet" onClick={() => send({ type: "hand", body: { participant: one.id, isUp: false } })} aria-label={t("room.hand.takeOf", { name })} data-tip={t("room.hand.take")}><Icon name="down" /></Button>}
            </li>
          );
        })}
      </ol>
    </section>
  );
}
