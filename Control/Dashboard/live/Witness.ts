import type { BroadcastEvent } from "../api/Schema";

/** Of one broadcast; the oldest go first. */
const room = 500;

/** Keeps what the feed tells of what happens to broadcasts, for whoever shows it beside what was read of it. */
export class Witness {
  private readonly told = new Map<string, readonly BroadcastEvent[]>();
  private readonly watchers = new Set<() => void>();
  /** How often something may have been missed: whoever has read it reads again. */
  gaps = 0;

  watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  /** What was told of a broadcast: the same list until something is added. */
  of(id: string): readonly BroadcastEvent[] { return this.told.get(id) ?? nothing; }

  note(topic: string, body: unknown): void {
    if (topic === "forget") return this.told.clear();
    if (topic === "all") this.gaps++;
    const [kind, id = ""] = topic.split("/");
    if (kind === "broadcast" && body === null) this.told.delete(id);
    if (kind === "events" && Array.isArray(body)) this.told.set(id, [...this.of(id), ...body as BroadcastEvent[]].slice(-room));
    if (topic === "all" || kind === "events") for (const watcher of [...this.watchers]) watcher();
  }
}

const nothing: readonly BroadcastEvent[] = [];

/** All of them once, the newest first: what was read may have been told as well, and what was told may be told again. */
export function timeline(...lists: (readonly BroadcastEvent[])[]): BroadcastEvent[] {
  const all = new Map<string, BroadcastEvent>();
  for (const one of lists.flat()) all.set(one.id, one);
  return [...all.values()].map(one => ({ one, at: Date.parse(one.at), place: one.id.split(".") }))
    .sort((a, b) => b.at - a.at || compare(b.place[1]!, a.place[1]!) || Number(b.place[2]) - Number(a.place[2]) || Number(b.place[3]) - Number(a.place[3]))
    .map(({ one }) => one);
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * What an event is, as the catalogue names it: `state.live`, `output.failed`, `link_silent`. A board's own words cannot be the server's: those alone have
 * a point in them.
 */
export const kindOf = (event: BroadcastEvent): string =>
  event.source === "control" ? `${event.kind}.${event.state ?? ""}` : event.kind.replaceAll(".", " ");
