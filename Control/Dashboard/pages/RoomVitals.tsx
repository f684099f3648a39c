import { useEffect, useRef, useState } from "react";
import { Badge, type Tone } from "../design/Badge";
import { Button } from "../design/Button";
import { Dialog } from "../design/Dialog";
import { Table, type Column } from "../design/Table";
import type { Quality } from "../live/Quality";
import type { Person } from "../live/Room";
import { vitals, type Stat, type Vital, type Vitals } from "../live/Vitals";
import type { Call } from "../media/Call";
import { useWords } from "../text/Text";

type Side = "up" | "down";
type Battery = { level: number; charging: boolean };
const tones: Record<Quality, Tone> = { good: "good", average: "warn", poor: "bad" };

/** What the browser counts of a meeting, each second, for whoever looks into a fault. */
export function RoomVitals({ call, people, me, close }: { call: Call; people: readonly Person[]; me: string; close: () => void }) {
  const { t, milliseconds, number, percent } = useWords();
  const [shown, setShown] = useState<Record<Side, Vitals> | null>(null), [battery, setBattery] = useState<Battery | null>(null);
  const before = useRef<Record<Side, readonly Stat[]>>({ up: [], down: [] });
  useEffect(() => {
    let isOver = false;
    const look = async () => {
      const now = await call.counts();
      if (isOver) return;
      setShown({ up: vitals(before.current.up, now.up), down: vitals(before.current.down, now.down) });
      before.current = now;
    };
    // A connection that was closed meanwhile is another one with the next look; not every browser tells of its battery.
    const again = () => { look().catch(() => undefined); };
    again();
    const timer = setInterval(again, 1000);
    (navigator as unknown as { getBattery?: () => Promise<Battery> }).getBattery?.().then(({ level, charging }) => { if (!isOver) setBattery({ level, charging }); }, () => undefined);
    return () => {
      isOver = true;
      clearInterval(timer);
    };
  }, [call]);
  const routes = (["up", "down"] as const).flatMap(side => {
    const route = shown?.[side].route;
    return route ? [t(`vitals.route.${side}`, { way: route.way, time: route.roundTripMs === null ? "–" : milliseconds(Math.round(route.roundTripMs)) })] : [];
  });
  const limits = new Set(shown?.up.tracks.map(one => one.limit).filter(one => one === "cpu" || one === "bandwidth") ?? []);
  return (
    <Dialog wide title={t("vitals.title")} close={close}>
      <div className="stack">
        {(["up", "down"] as const).map(side => (
          <Tracks key={side} label={t(`vitals.${side}`)} rows={shown?.[side].tracks ?? []} name={one => nameOf(one, side, people, me, call, t)} />
        ))}
        <p className="muted">{[
          ...routes, ...(limits.has("cpu") ? [t("vitals.cpu")] : []), ...(limits.has("bandwidth") ? [t("vitals.bandwidth")] : []),
          t("vitals.processors", { count: number(navigator.hardwareConcurrency) }),
          ...(battery ? [t(battery.charging ? "vitals.charging" : "vitals.battery", { level: percent(battery.level) })] : []),
        ].join(" · ")}</p>
        <div className="buttons"><Button onClick={close}>{t("close")}</Button></div>
      </div>
    </Dialog>
  );
}

type Translate = ReturnType<typeof useWords>["t"];

/** Whose it is, and which of theirs; of several sizes which. */
function nameOf({ of }: Vital, side: Side, people: readonly Person[], me: string, call: Call, t: Translate): string {
  const line = side === "down" ? call.lineOf(of) : null, participant = side === "up" ? me : line?.participant, mid = side === "up" ? of.mid : line?.track;
  const person = people.find(one => one.id === participant), source = person?.tracks.find(one => one.mid === mid)?.source ?? "other";
  return [side === "down" ? person?.name : undefined, t(`vitals.source.${source}`), of.rid].filter(Boolean).join(", ");
}

function Tracks({ label, rows, name }: { label: string; rows: readonly Vital[]; name: (row: Vital) => string }) {
  const { t, number, megabits, percent } = useWords();
  const columns: readonly Column<Vital>[] = [
    { id: "name", title: t("name"), heads: true, cell: name },
    { id: "bitrate", title: t("vitals.bitrate"), number: true, short: true, cell: one => one.bitrate === null ? "–" : megabits(one.bitrate) },
    { id: "loss", title: t("vitals.loss"), number: true, short: true, cell: one => one.loss === null ? "–" : percent(one.loss) },
    { id: "jitter", title: t("vitals.jitter"), number: true, short: true, cell: one => one.jitterMs === null ? "–" : `${number(one.jitterMs)} ms` },
    { id: "picture", title: t("vitals.picture"), number: true, short: true, cell: one => one.width === null || one.height === null ? "–" : `${one.width}×${one.height}, ${number(one.frames ?? 0)}` },
    { id: "state", title: t("state"), cell: one => one.quality === null ? "–" : <Badge tone={tones[one.quality]}>{t(`vitals.quality.${one.quality}`)}</Badge> },
  ];
  return (
    <section>
      <h3>{label}</h3>
      {rows.length === 0 ? <p className="muted">{t("vitals.none")}</p> : <Table label={label} columns={columns} rows={rows} id={one => one.id} />}
    </section>
  );
}
