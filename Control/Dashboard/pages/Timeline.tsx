import { useEffect, useState } from "react";
import { client, useMay, useReading, useSession } from "../api/Server";
import type { Fault } from "../api/Fault";
import type { Broadcast, BroadcastEvent, BroadcastEvents } from "../api/Schema";
import { ActButton } from "../design/Button";
import { FaultNote } from "../design/Fault";
import { Card, Read } from "../design/Page";
import { useGaps, useTold } from "../live/Live";
import { kindOf, timeline } from "../live/Witness";
import { useWords, type Words } from "../text/Text";
import { en, type Key } from "../text/en";

type Names = (user: string) => string | undefined;

const warns = /^(state\.(degraded|interrupted)|output\.(retrying|failed)|slate\.shown|alarm\.raised|receiver\.|host\.(left|lost)|receiver_unheard|link_(silent|unreachable|removed)|rate_cut|data_(near|spent))/;

/** What happened to a broadcast, the newest first: what the server and the sender have written down, and what the feed tells meanwhile. */
export function Timeline({ broadcast }: { broadcast: Broadcast }) {
  const own = useSession().user;
  const names: Names = user => (user === own.id ? own.displayName : undefined);
  return useMay()("users.view") ? <Named broadcast={broadcast} names={names} /> : <Told broadcast={broadcast} names={names} />;
}

/** Who may see the members reads who did what by name. */
function Named({ broadcast, names }: { broadcast: Broadcast; names: Names }) {
  const users = useReading("getUsers", {});
  return <Told broadcast={broadcast} names={user => users.value?.items.find(one => one.id === user)?.displayName ?? names(user)} />;
}

function Told({ broadcast, names }: { broadcast: Broadcast; names: Names }) {
  const words = useWords(), { t } = words;
  const told = useTold(broadcast.id), gaps = useGaps();
  const newest = useReading("getBroadcastsByIdEvents", { id: broadcast.id, limit: "100" }), { again } = newest;
  const [earlier, setEarlier] = useState<BroadcastEvents>({ items: [] }), [fault, setFault] = useState<Fault | null>(null);
  useEffect(() => {
    if (gaps === 0) return;
    // Between the newest and what was read before, some may lie that nobody has read.
    setEarlier({ items: [] });
    again();
  }, [gaps, again]);
  return (
    <Card title={t("timeline.title")}>
      <Read of={newest}>{read => {
        const next = earlier.items.length > 0 ? earlier.next : read.next;
        const all = timeline(read.items, earlier.items, told);
        const readOn = async () => {
          setFault(null);
          const part = await client.call("getBroadcastsByIdEvents", { id: broadcast.id, after: next ?? "", limit: "200" });
          setEarlier(before => ({ items: [...before.items, ...part.items], next: part.next }));
        };
        return <>
          <ol className="timeline" aria-label={t("timeline.title")}>{whole(broadcast, all, !next).map(one => <Line key={one.id} event={one} words={words} names={names} />)}</ol>
          {fault && <FaultNote fault={fault} />}
          {next && <div className="buttons"><ActButton small act={readOn} failed={setFault}>{t("timeline.earlier")}</ActButton></div>}
        </>;
      }}</Read>
    </Card>
  );
}

function Line({ event, words, names }: { event: BroadcastEvent; words: Words; names: Names }) {
  const { t } = words, name = event.user && names(event.user);
  return (
    <li>
      <time dateTime={event.at}>{words.moment(Date.parse(event.at))}</time>
      <p className={warns.test(kindOf(event)) ? "warn" : undefined}>
        {said(event, words)}
        {name && <span className="muted"> {t("timeline.by", { name })}</span>}
        {event.reason && <span className="muted"> {event.reason}</span>}
        {event.omitted && <span className="muted"> {t("timeline.omitted", { count: event.omitted })}</span>}
      </p>
    </li>
  );
}

/** With the beginning and the end, which have their times, of a broadcast from before the server wrote them down. */
function whole(broadcast: Broadcast, all: BroadcastEvent[], hasFirst: boolean): BroadcastEvent[] {
  const has = (state: string) => all.some(one => kindOf(one) === `state.${state}`);
  const made = (at: string, state: string): BroadcastEvent => ({ id: state, source: "control", at, kind: "state", state, ...(state === "ended" && { reason: broadcast.reason ?? null }) });
  const last = broadcast.endedAt && !has("ended") ? [made(broadcast.endedAt, "ended")] : [];
  return [...last, ...all, ...(hasFirst && !has("starting") ? [made(broadcast.createdAt, "begun")] : [])];
}

/** In the reader's words; what nobody has words for in its own. */
function said(event: BroadcastEvent, { t, megabits }: Words): string {
  const what = kindOf(event), key = `happened.${what}`, step = `steps.${event.subject}`, alarm = `alarm.${event.subject}`;
  const subject = event.kind === "bitrate" ? megabits(Number(event.subject)) : event.kind === "state" && step in en ? t(step as Key) : event.kind === "alarm" && alarm in en ? t(alarm as Key) : event.subject ?? event.link ?? "";
  return key in en ? t(key as Key, { subject }) : [what, subject].filter(Boolean).join(" ");
}
