import { memo, useEffect, useLayoutEffect, useMemo, useRef, useState, type FormEvent, type KeyboardEvent, type UIEvent } from "react";
import type { Fault } from "../api/Fault";
import { ActButton, Button, useAct } from "../design/Button";
import { FaultNote } from "../design/Fault";
import { SelectField, TextField } from "../design/Field";
import { Icon } from "../design/Icon";
import { Menu } from "../design/Menu";
import { tellFault } from "../design/Toast";
import type { ChatMessage, ChatView } from "../live/Chat";
import { emoji } from "../live/Emoji";
import type { Powers } from "../live/Powers";
import type { Person } from "../live/Room";
import type { Call } from "../media/Call";
import { useWords } from "../text/Text";
import { Message } from "./RoomMessage";
import { faultOf, useOrders } from "./roomOrders";
import { RoomPanel } from "./RoomPanel";

type Props = {
  call: Call; powers: Powers;
  /** Those whom one may write to alone. */
  others: readonly Person[];
  /** To whom one writes; empty: everybody. */
  to: string; address: (id: string) => void;
  /** What is not sent yet; it outlives the panel. */
  draft: string; setDraft: (change: string | ((now: string) => string)) => void;
  close: () => void;
};

/** What is written in a meeting, by everybody and to oneself. */
export function RoomChat({ call, powers, others, to, address, draft, setDraft, close }: Props) {
  const { t } = useWords();
  const { room } = call, { chat, conditions } = room, { ask } = useOrders(call);
  const [found, setFound] = useState<readonly ChatMessage[] | null>(null);
  useEffect(() => {
    // What nobody looks at has not been seen.
    const see = () => { if (!document.hidden) room.see(); };
    see();
    document.addEventListener("visibilitychange", see);
    return () => document.removeEventListener("visibilitychange", see);
  }, [room, chat]);
  const around = { call, chat, powers, others, address };
  const results = useMemo(() => found?.filter(one => !chat.isGone(one.id)) ?? null, [found, chat]);
  return (
    <RoomPanel name="chat" label={t("room.chat")} title={t("room.chat")} close={close}>
      {chat.pinned.length > 0 && (
        <details className="pins" open>
          <summary>{t("room.chat.pins", { count: chat.pinned.length })}</summary>
          <ul>{chat.pinned.map(one => <Line key={one.id} message={one} {...around} />)}</ul>
        </details>
      )}
      <Search call={call} found={results} put={setFound} />
      {results ? <ul className="messages" tabIndex={0} aria-label={t("room.chat.results")}>{results.map(one => <Line key={one.id} message={one} {...around} />)}</ul> : <Written {...around} />}
      {powers.moderate && (
        <ActButton small look="quiet" act={() => ask({ type: "switch-chat", body: { isOn: !conditions.hasChat } })} failed={tellFault}>
          {t(conditions.hasChat ? "room.chat.off" : "room.chat.on")}
        </ActButton>
      )}
      <Composer call={call} powers={powers} others={others} to={to} address={address} draft={draft} setDraft={setDraft} />
    </RoomPanel>
  );
}

type Around = { call: Call; chat: ChatView; powers: Powers; others: readonly Person[]; address: (id: string) => void };

/** One message with what one may do about it: a message itself is drawn anew only where that changes. */
function Line({ message, call, chat, powers, others, address }: Around & { message: ChatMessage }) {
  const { send } = useOrders(call), isMine = chat.isMine(message), isPublic = !message.to;
  return <Message message={message} isMine={isMine} isToMe={chat.isToMe(message)} mayPin={powers.moderate && isPublic} mayTake={isMine || (powers.moderate && isPublic)}
    mayAnswer={!isMine && others.some(one => one.id === message.from)} send={send} address={address} />;
}

/** Within so many pixels of an end one is at it. */
const near = 60;

/** All that is known, the newest below. It stays where somebody reads, and goes along where they are at its end; it is not drawn anew with each word that is spoken. */
const Written = memo(function Written(around: Around) {
  const { t } = useWords();
  const { call: { room }, chat: { messages, isWhole } } = around;
  const list = useRef<HTMLUListElement>(null), isAtEnd = useRef(true), before = useRef({ first: "", height: 0 }), isReading = useRef(false);
  const [isAway, setAway] = useState(false);
  useLayoutEffect(() => {
    const element = list.current, first = messages[0]?.id ?? "";
    if (!element) return;
    if (isAtEnd.current) element.scrollTop = element.scrollHeight;
    // Earlier ones stand above it now.
    else if (first !== before.current.first) element.scrollTop += element.scrollHeight - before.current.height;
    before.current = { first, height: element.scrollHeight };
  }, [messages]);
  const read = async () => {
    if (isReading.current) return;
    isReading.current = true;
    try {
      await room.readOlder();
    } catch (thrown) {
      throw faultOf(thrown, t);
    } finally {
      isReading.current = false;
    }
  };
  // What cannot be read now is read when somebody asks for it.
  const readOn = useRef(() => undefined as void);
  readOn.current = () => void read().catch(() => undefined);
  useEffect(() => {
    const element = list.current;
    if (element && !isWhole && element.scrollHeight <= element.clientHeight) readOn.current();
  }, [messages, isWhole]);
  const scrolled = ({ currentTarget: { scrollHeight, scrollTop, clientHeight } }: UIEvent) => {
    isAtEnd.current = scrollHeight - scrollTop - clientHeight < near;
    setAway(!isAtEnd.current);
    if (!isWhole && scrollTop < near && scrollHeight > clientHeight) readOn.current();
  };
  const toEnd = () => { if (list.current) list.current.scrollTop = list.current.scrollHeight; };
  return (
    <>
      <ul className="messages" ref={list} tabIndex={0} aria-label={t("room.chat.messages")} onScroll={scrolled}>
        {!isWhole && messages.length > 0 && <li className="earlier"><ActButton small look="quiet" act={read} failed={tellFault}>{t("room.chat.earlier")}</ActButton></li>}
        {isWhole && messages.length === 0 && <li className="muted">{t("room.chat.none")}</li>}
        {messages.map(one => <Line key={one.id} message={one} {...around} />)}
      </ul>
      {isAway && <Button small onClick={toEnd}><Icon name="down" />{t("room.chat.end")}</Button>}
    </>
  );
});

/** As the server has it. */
const least = 2, longest = 100;

function Search({ call, found, put }: { call: Call; found: readonly ChatMessage[] | null; put: (found: readonly ChatMessage[] | null) => void }) {
  const { t } = useWords();
  const [text, setText] = useState("");
  const { state, run } = useAct(async () => {
    try {
      put(await call.room.search(text.trim()));
    } catch (thrown) {
      throw faultOf(thrown, t);
    }
  }, tellFault);
  const look = (event: FormEvent) => {
    event.preventDefault();
    if ([...text.trim()].length >= least) void run();
  };
  const clear = () => {
    setText("");
    put(null);
  };
  return (
    <details className="seek" onToggle={event => { if (!event.currentTarget.open) clear(); }}>
      <summary>{t("room.chat.search")}</summary>
      <form role="search" onSubmit={look}>
        <TextField label={t("room.chat.sought")} type="search" required minLength={least} maxLength={longest} autoComplete="off" value={text} set={setText} />
        <Button type="submit" disabled={state === "busy"} aria-busy={state === "busy"}>{t("room.chat.find")}</Button>
      </form>
      {found && <p role="status">{t("room.chat.found", { count: found.length })}{" "}<Button small onClick={clear}>{t("room.chat.back")}</Button></p>}
    </details>
  );
}

/** As the server has it, in code points; a field counts no fewer. */
const most = 2000;

function Composer({ call, powers, others, to, address, draft, setDraft }: Omit<Props, "close">) {
  const { t } = useWords();
  const { ask } = useOrders(call);
  const [fault, setFault] = useState<Fault | null>(null), field = useRef<HTMLTextAreaElement>(null);
  const { state, run } = useAct(async () => {
    setFault(null);
    await ask({ type: "say", body: { text: draft.trim(), ...(to !== "" && { to }) } });
    // What was typed meanwhile stays.
    setDraft(now => (now === draft ? "" : now));
  }, setFault);
  const isThere = to === "" || others.some(one => one.id === to), { silence } = powers;
  const isGood = silence === null && (to === "" ? powers.write : powers.whisper && isThere) && draft.trim() !== "" && state !== "busy";
  // Whom one has chosen is whom one writes to next; a telephone's keys would cover what was written.
  useEffect(() => { if (matchMedia("(hover: hover)").matches) field.current?.focus(); }, [to]);
  const submit = () => { if (isGood) void run(); };
  const insert = (sign: string) => {
    const from = field.current?.selectionStart ?? draft.length, to = field.current?.selectionEnd ?? from;
    setDraft(now => (now.length + sign.length > most ? now : now.slice(0, from) + sign + now.slice(to)));
    field.current?.focus();
  };
  const typed = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    submit();
  };
  const everybody = [["", t("room.chat.all")] as const, ...others.map(one => [one.id, one.name] as const)];
  return (
    <form className="composer" onSubmit={event => { event.preventDefault(); submit(); }}>
      {fault && <FaultNote fault={fault} />}
      {silence && <p className="room-note" role="status" id="chat-silence">{t(`room.chat.silence.${silence}`)}</p>}
      {(powers.whisper || to !== "") && silence === null && (
        <SelectField label={t("room.chat.to")} value={to} set={address} options={isThere ? everybody : [...everybody, [to, t("room.chat.away")]]}
          error={isThere ? undefined : t("room.chat.awayText")} />
      )}
      <div className="line">
        <textarea ref={field} rows={2} maxLength={most} aria-label={t("room.chat.message")} aria-describedby={silence ? "chat-silence" : undefined} autoComplete="off"
          disabled={silence !== null} value={draft} onChange={event => setDraft(event.target.value)} onKeyDown={typed} />
        {silence === null && <Emoji insert={insert} />}
        <Button type="submit" look="primary" disabled={!isGood} aria-busy={state === "busy"} aria-label={t("room.chat.send")} data-tip={t("room.chat.send")}><Icon name="send" /></Button>
      </div>
    </form>
  );
}

/** Each says its name by itself to those who do not see it. */
function Emoji({ insert }: { insert: (sign: string) => void }) {
  const { t } = useWords();
  return (
    <Menu label={t("room.chat.emoji")} button={<Icon name="smile" />}>{close => (
      <div className="reactions" role="group" aria-label={t("room.chat.emoji")}>
        {emoji.map(sign => <button key={sign} type="button" className="bare" onClick={() => { close(); insert(sign); }}>{sign}</button>)}
      </div>
    )}</Menu>
  );
}
