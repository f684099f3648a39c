import type { Broadcast } from "../api/Schema";

/** Something that happened to a broadcast. */
export type Happening = {
  /** Unix milliseconds. */
  at: number;
  /** `state.live`, `output.failed`, `link_silent`: an open list, as a sender of tomorrow has more. */
  what: string;
  /** The link, the output, or the figure that it is about. */
  subject?: string;
  /** The cause, in the words of whoever told it. */
  reason?: string;
};

/** Of one broadcast; the oldest go first. */
const room = 500;

/** Writes down what changes in the broadcasts while the page is open: of what came before the sender's flight recorder knows its side. */
export class Witness {
  private readonly seen = new Map<string, Happening[]>();
  private readonly watchers = new Set<() => void>();

  watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  /** What was seen of a broadcast, the oldest first: the same list until something is added. */
  of(id: string): readonly Happening[] { return this.seen.get(id) ?? nothing; }

  /** @param before what was known of it, where something was. */
  note(topic: string, body: unknown, before: Broadcast | undefined, now: number): void {
    if (topic === "forget") return this.seen.clear();
    const [kind, id] = topic.split("/") as [string, string];
    if (kind !== "broadcast") return;
    if (body === null) return void this.seen.delete(id);
    if (!before) return;
    const found = differences(before, body as Broadcast, now);
    if (found.length === 0) return;
    this.seen.set(id, [...this.of(id), ...found].slice(-room));
    for (const watcher of [...this.watchers]) watcher();
  }
}

const nothing: readonly Happening[] = [];

/** What differs between two looks at a broadcast, of what a person would call an event. */
export function differences(before: Broadcast, after: Broadcast, at: number): Happening[] {
  const found: Happening[] = [];
  const add = (what: string, subject?: string, reason?: string | null) => found.push({ at, what, ...(subject && { subject }), ...(reason && { reason }) });
  // Its beginning and its end have times of their own.
  if (after.state !== "ended" && (before.state !== after.state || (before.reason ?? "") !== (after.reason ?? ""))) add(`state.${after.state}`, undefined, after.reason);
  for (const output of after.outputs) {
    const old = before.outputs.find(one => one.id === output.id);
    if (!old) add("output.added", output.name);
    const state = output.report?.state, reason = output.report?.reason ?? "";
    if (state && (state !== old?.report?.state || reason !== (old.report.reason ?? ""))) add(`output.${state}`, output.name, reason);
  }
  for (const output of before.outputs) if (!after.outputs.some(one => one.id === output.id)) add("output.removed", output.name);
  const isSlate = (one: Broadcast) => one.ingest?.slateMs != null;
  if (isSlate(before) !== isSlate(after)) add(isSlate(after) ? "slate.shown" : "slate.gone");
  if (before.encoder.bitrate !== after.encoder.bitrate) add("rate.changed", String(after.encoder.bitrate));
  if (before.input.video !== after.input.video) add("input.changed", after.input.video);
  const restarts = (one: Broadcast) => one.receiver?.restarts ?? 0;
  if (restarts(after) > restarts(before)) add("receiver.restarted");
  if (before.receiver && after.receiver && before.receiver.host !== after.receiver.host) add("receiver.moved");
  return found;
}

/** The last time that a `Date` can have; a board's clock may say anything. */
const latest = 8.64e15;

/** The events of a flight recorder's download, its figures left out; a line that is none of ours is passed over. */
export function recorded(text: string): Happening[] {
  const found: Happening[] = [];
  for (const line of text.split("\n")) {
    if (line === "" || line.includes('"kind":"sample"')) continue;
    try {
      const { entry } = JSON.parse(line) as { entry?: { atMs?: unknown; kind?: unknown; link?: unknown; reason?: unknown } };
      if (typeof entry?.atMs !== "number" || !(Math.abs(entry.atMs) <= latest) || typeof entry.kind !== "string" || entry.kind === "sample") continue;
      found.push({
        at: entry.atMs, what: entry.kind,
        ...(typeof entry.link === "string" && { subject: entry.link }), ...(typeof entry.reason === "string" && { reason: entry.reason }),
      });
    } catch {
      // Cut where the answer ended, or written by another version.
    }
  }
  return found;
}
