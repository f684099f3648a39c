export type ChatMessage = {
  /** In the order in which messages were taken. */
  id: string;
  from: string; name: string;
  /** Nobody: it is everybody's. */
  to?: string | null; toName?: string | null;
  text: string; atMs: number; isPinned: boolean;
};

export type ChatView = {
  /** Without a gap up to the newest, the oldest first. */
  messages: readonly ChatMessage[];
  pinned: readonly ChatMessage[];
  /** Others', since somebody looked last. */
  unread: number;
  /** Nothing was written before the first of them. */
  isWhole: boolean;
  /** One's own, by all seats that one has had. */
  isMine: (message: ChatMessage) => boolean;
  isToMe: (message: ChatMessage) => boolean;
  /** It was taken back, wherever it is still shown. */
  isGone: (id: string) => boolean;
};

/** So many of those that come are kept; what lies before can be asked for, and is kept as well. */
const latest = 500;
/** Those that were taken back are remembered, so that no answer that was under way brings one back; so many of them. */
const remembered = 500;

/** What is known of what was written in a room. */
export class Chat {
  private readonly known = new Map<string, ChatMessage>();
  private readonly seats = new Set<string>();
  private readonly gone = new Set<string>();
  /** From this one on there is no gap; of before only what is pinned is known. Null: nothing but that is. */
  private first: string | null = null;
  private isWhole = false;
  /** How many are kept. */
  private most = latest;
  /** Up to this one all was seen; null before anything was told. */
  private seen: string | null = null;
  /** As it was shown last; null: something is not as before. */
  private shown: ChatView | null = null;
  /** Counts snapshots: what was asked for before one is no part of what is known after it. */
  age = 0;

  /** Whoever reads has this seat from now on. */
  sit(participant: string): void {
    if (this.seats.has(participant)) return;
    this.seats.add(participant);
    this.shown = null;
  }

  /** What a snapshot has: the newest, behind those that are pinned. */
  begin(messages: readonly ChatMessage[]): void {
    this.age++;
    this.known.clear();
    for (const one of messages) this.known.set(one.id, one);
    // Those that are pinned come whatever lies between.
    this.first = this.sorted().find(one => !one.isPinned)?.id ?? null;
    this.isWhole = false;
    this.most = Math.max(latest, messages.length);
    // What was there before oneself is nothing new.
    this.seen ??= this.newest ?? "";
    this.shown = null;
  }

  /** One is new, or not as before. */
  put(message: ChatMessage): void {
    if (this.gone.has(message.id)) return;
    const isBefore = !this.isNew(message) && (this.first === null || message.id < this.first);
    // Of what lies before nothing else is kept.
    if (isBefore && !message.isPinned) this.known.delete(message.id); else this.known.set(message.id, message);
    if (this.first === null && !isBefore) this.first = message.id;
    this.trim();
    this.shown = null;
  }

  /** Others write as much as they like: of what nobody has asked for no more is kept than that. */
  private trim(): void {
    const all = this.sorted().filter(one => this.first !== null && one.id >= this.first), [oldest] = all.slice(-this.most);
    if (!oldest || all.length <= this.most) return;
    for (const one of all) if (one.id < oldest.id && !one.isPinned) this.known.delete(one.id);
    [this.first, this.isWhole] = [oldest.id, false];
  }

  /** Whether nothing later is known: it is the next one. */
  private isNew({ id }: ChatMessage): boolean { return this.newest === null || id > this.newest; }

  /** One is no more; what lies before is still asked for by its place. */
  drop(id: string): void {
    this.known.delete(id);
    this.gone.add(id);
    const [oldest] = this.gone;
    if (oldest !== undefined && this.gone.size > remembered) this.gone.delete(oldest);
    this.shown = null;
  }

  /** Before which one to ask; null: for the newest. */
  get before(): string | null { return this.first; }

  /** The answer to that: none is the beginning. */
  older(messages: readonly ChatMessage[]): void {
    if (messages.length === 0) this.isWhole = true;
    this.most += messages.length;
    for (const one of messages) {
      if (!this.gone.has(one.id)) this.known.set(one.id, one);
      if (this.first === null || one.id < this.first) this.first = one.id;
    }
    this.shown = null;
  }

  /** All that there is has been seen. */
  see(): void {
    this.seen = this.newest ?? this.seen ?? "";
    this.shown = null;
  }

  /** Whether there is something to see. */
  get isUnseen(): boolean { return this.seen !== null && (this.newest ?? "") > this.seen; }

  /** The same one until something changes. */
  view(): ChatView { return this.shown ??= this.made(); }

  private made(): ChatView {
    const all = this.sorted(), { first, seen, seats } = this, gone = new Set(this.gone);
    const isMine = (message: ChatMessage) => seats.has(message.from);
    return {
      messages: all.filter(one => first !== null && one.id >= first), pinned: all.filter(one => one.isPinned),
      unread: all.filter(one => seen !== null && one.id > seen && !isMine(one)).length, isWhole: this.isWhole, isMine,
      isToMe: ({ to }) => typeof to === "string" && seats.has(to), isGone: id => gone.has(id),
    };
  }

  private get newest(): string | null { return [...this.known.keys()].reduce<string | null>((last, id) => (last === null || id > last ? id : last), null); }
  private sorted(): readonly ChatMessage[] { return [...this.known.values()].sort((a, b) => (a.id < b.id ? -1 : 1)); }
}

export const noChat: ChatView = { messages: [], pinned: [], unread: 0, isWhole: false, isMine: () => false, isToMe: () => false, isGone: () => false };
