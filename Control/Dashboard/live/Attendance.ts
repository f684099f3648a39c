/** What happened to somebody's seat, as the server tells it in its order. */
export type SeatEvent = { at: string; kind: string; participant: string; person: string; name: string };

type Stay = { from: number; to: number | null };

/** Somebody who was there, by all seats that they have had. */
export type Attended = {
  person: string;
  /** The last one that they had. */
  name: string;
  /** In Unix milliseconds, apart from each other; the last one goes on where there is no end. */
  stays: readonly Readonly<Stay>[];
  /** Milliseconds in all. */
  stayed: number;
};

/** Who was in a meeting, in the order in which they came, and how many at once at most. @param now its end, or the time that it is. */
export function attendance(events: readonly SeatEvent[], now: number): { people: readonly Attended[]; most: number } {
  const people = new Map<string, { name: string; stays: Stay[] }>(), seats = new Map<string, Stay>();
  for (const { at, kind, participant, person, name } of events) {
    const known = people.get(person), seat = seats.get(participant);
    if (kind === "joined" && !seat) {
      const stay: Stay = { from: Date.parse(at), to: null };
      seats.set(participant, stay);
      if (known) known.stays.push(stay); else people.set(person, { name, stays: [stay] });
    }
    if (known) known.name = name;
    if (seat && (kind === "left" || kind === "kicked")) {
      seat.to = Date.parse(at);
      seats.delete(participant);
    }
  }
  const all = [...people].map(([person, { name, stays }]) => {
    const whole = united(stays);
    return { person, name, stays: whole, stayed: whole.reduce((sum, { from, to }) => sum + Math.max(0, (to ?? now) - from), 0) };
  });
  return { people: all, most: most(all) };
}

/** Two windows of one person are one stay while both are open. */
function united(stays: readonly Readonly<Stay>[]): readonly Readonly<Stay>[] {
  const found: Stay[] = [];
  for (const { from, to } of [...stays].sort((a, b) => a.from - b.from)) {
    const last = found[found.length - 1];
    if (last && (last.to === null || last.to >= from)) last.to = last.to === null || to === null ? null : Math.max(last.to, to);
    else found.push({ from, to });
  }
  return found;
}

/** Who goes makes room before who comes in the same moment. */
function most(people: readonly Attended[]): number {
  const steps = people.flatMap(one => one.stays).flatMap(({ from, to }) => [{ at: from, by: 1 }, ...(to === null ? [] : [{ at: to, by: -1 }])]);
  let [count, highest] = [0, 0];
  for (const { by } of steps.sort((a, b) => a.at - b.at || a.by - b.by)) {
    count += by;
    highest = Math.max(highest, count);
  }
  return highest;
}
