import type { Broadcast, Rehearsal, Sender } from "../api/Schema";
import type { Telemetry } from "./Telemetry";

export type Topics = { sender: Sender; broadcast: Broadcast; rehearsal: Rehearsal; telemetry: Telemetry };
export type Kind = keyof Topics;

/** Everything that the feed has told, by topic; whoever shows a part of it is told when that changes. */
export class Picture {
  private tables: { [K in Kind]: ReadonlyMap<string, Topics[K]> } = { sender: new Map(), broadcast: new Map(), rehearsal: new Map(), telemetry: new Map() };
  private readonly watchers = new Map<string, Set<() => void>>();
  /** Within a whole picture: what was known before it and was not told again yet. */
  private before: Set<string> | null = null;
  /** How often the destinations changed: whoever shows them reads them again. */
  destinationsChanged = 0;

  one<K extends Kind>(kind: K, id: string): Topics[K] | undefined { return this.tables[kind].get(id); }
  all<K extends Kind>(kind: K): ReadonlyMap<string, Topics[K]> { return this.tables[kind]; }

  /** @param topic `sender/ID`, a kind for all of it, or `destinations`. */
  watch(topic: string, watcher: () => void): () => void {
    const watchers = this.watchers.get(topic) ?? new Set();
    this.watchers.set(topic, watchers.add(watcher));
    return () => {
      watchers.delete(watcher);
      if (watchers.size === 0 && this.watchers.get(topic) === watchers) this.watchers.delete(topic);
    };
  }

  /** One message of the feed; a topic that nobody knows is passed over. */
  take(topic: string, body: unknown): void {
    // What is shown stays meanwhile: a form that somebody fills in goes away with what it is about, and only then.
    if (topic === "all") return this.begin();
    if (topic === "whole") return this.settle();
    if (topic === "destinations") {
      this.destinationsChanged++;
      return this.tell("destinations");
    }
    const [kind, id] = topic.split("/") as [Kind, string];
    if (!Object.hasOwn(this.tables, kind) || !id) return;
    this.before?.delete(topic);
    const table = new Map<string, unknown>(this.tables[kind]);
    if (body === null) table.delete(id); else table.set(id, body);
    (this.tables as Record<Kind, ReadonlyMap<string, unknown>>)[kind] = table;
    this.tell(topic);
    this.tell(kind);
  }

  private begin(): void {
    this.before = new Set(Object.entries(this.tables).flatMap(([kind, table]) => [...table.keys()].map(id => `${kind}/${id}`)));
    this.take("destinations", null);
  }

  /** The picture is whole: what it did not tell is gone. */
  private settle(): void {
    const gone = this.before ?? [];
    this.before = null;
    for (const topic of gone) this.take(topic, null);
  }

  private tell(topic: string): void {
    for (const watcher of [...(this.watchers.get(topic) ?? [])]) watcher();
  }
}
