import type { ICEServer } from "./Peers";
import { Redial } from "./Redial";
import { Chat, noChat, type ChatMessage, type ChatView } from "./Chat";
import type { Reacted, Reaction } from "./Reactions";
import type { MeetingRole, ToldRights } from "./Rights";

export type Source = "camera" | "microphone" | "screen" | "screen-sound" | "other";
/** What somebody sends, by the mid of their offer. */
export type Track = { mid: string; kind: "audio" | "video"; source: Source };
export type Media = "audio" | "video" | "screen";
export type Person = {
  id: string; name: string; role: "host" | "member" | "guest"; isAway: boolean; tracks: readonly Track[];
  /** In the meeting, where `role` is what that comes to. */
  meetingRole: MeetingRole;
  /** Their hand is up: the lower, the longer. */
  hand?: number | null;
  /** What of theirs goes on to nobody, and the host who did it, where it was not they themselves. */
  off?: readonly Media[] | null;
  stoppedBy?: string | null;
  /** A live broadcast, named after its sender, or an encoder. */
  kind?: "field" | "encoder" | null;
};
/** Why somebody is in a room no more, or does not come in. */
export type Ending = "left" | "removed" | "replaced" | "closed" | "signed-out" | "pass" | "full" | "locked" | "failed";
/** What holds in a room, beside who is in it. */
export type Conditions = {
  /** Nobody else comes in but hosts. */
  isLocked: boolean;
  hasChat: boolean;
  /** Who is large for all, in this order. */
  spotlight: readonly string[];
  /** When it ends by itself, in Unix milliseconds of the server; none: it does not. */
  endsAtMs?: number | null;
};
export type RoomView = { is: "connecting" | "in" | "lost"; me: string; people: readonly Person[] } | { is: "over"; why: Ending };

/** What is to be answered, and whose track (by its publisher's mid) lies in which of its sections. */
export type Offer = { number: number; isFirst: boolean; offer: string; tracks: readonly { mid: string; participant: string; track: string }[] };
export type Publication = { offer: string; tracks: readonly { mid: string; source: Source }[] };
export type Order =
  | { type: "publish" | "renegotiate"; body: Publication }
  | { type: "answer"; body: { number: number; answer: string } }
  | { type: "remove"; body: { participant: string } }
  | { type: "stop"; body: { participant?: string; media: Media } }
  | { type: "turn"; body: { media: Media; isOn: boolean } }
  | { type: "rename"; body: { participant?: string; name: string } }
  | { type: "promote"; body: { participant: string; role: MeetingRole } }
  | { type: "spotlight"; body: { participants: readonly string[] } }
  | { type: "lock" | "switch-chat"; body: { isOn: boolean } }
  | { type: "hand"; body: { participant?: string; isUp: boolean } }
  | { type: "allow"; body: { participant: string; media: readonly Media[] } }
  | { type: "react"; body: { reaction: Reaction } }
  | { type: "say"; body: { text: string; to?: string } }
  | { type: "unsay"; body: { message: string } }
  | { type: "pin"; body: { message: string; isPinned: boolean } }
  | { type: "mute-chat"; body: { participant: string; isMuted: boolean } }
  | { type: "unpublish" | "subscribe" };
/** What is answered with messages, the oldest first. */
export type Question = { type: "history"; body: { before?: string } } | { type: "search"; body: { text: string } };

/** Why something that was asked for was not done; `lost` where nobody knows whether it was. */
export class Refused extends Error {
  constructor(readonly reason: string, text = "") { super(text || reason); }
}

/** Who has the PeerConnections of a seat. */
export type Follower = {
  /** They are in, again or for the first time. @param goesOn which of the two connections are there still. */
  entered: (goesOn: { publishes: boolean; subscribes: boolean }) => void;
  offered: (offer: Offer) => void;
  /** One of the two is over by itself. */
  ended: (side: "publish" | "subscribe") => void;
};

type Entry = { participant: string; resume: string; publishes: boolean; subscribes: boolean; iceServers?: readonly ICEServer[] };
type Message =
  | { type: "done"; body: { id: number; entry?: Entry | null } & Answered }
  | { type: "refused"; body: { id: number; reason: string; text: string } }
  | { type: "snapshot"; body: { seq: number; participants: Person[]; conditions?: Conditions; chat?: ChatMessage[] } }
  | { type: "participant"; body: { seq: number; participant: Person } }
  | { type: "left"; body: { seq: number; participant: string } }
  | { type: "conditions"; body: { seq: number; conditions: Conditions } }
  | { type: "chat"; body: { seq: number; message: ChatMessage } }
  | { type: "unsaid"; body: { seq: number; message: string } }
  | { type: "reaction"; body: { seq: number } & Reacted }
  | { type: "rights"; body: ToldRights }
  | { type: "offer"; body: Offer }
  | { type: "ended"; body: { side: "publish" | "subscribe" } }
  | { type: "over"; body: { reason: Ending } }
  | { type: "passed"; body: { seq: number } }
  | { type: "alive" };
type Answered = { answer?: string | null; messages?: ChatMessage[] | null };

/** The server speaks each two seconds at least. */
const silence = 7000;
const entering = 1, leaving = 2;
/** Answers to offers come late where a worker begins. */
const patience = 15_000;
/** Whoever leaves waits no longer to be told that they have: nothing of theirs is to go on meanwhile. */
const parting = 2000;

const dialled = (): WebSocket => new WebSocket(`${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}/api/v1/join`);

/**
 * Somebody's seat in a room (Common/Wire/PROTOCOL.md, rooms and pages): comes in by a pass, comes back by its token after a lost connection, and knows who is there.
 * The pass and the token are in messages, never in an address.
 */
export class Room {
  conditions: Conditions = { isLocked: false, hasChat: true, spotlight: [] };
  chat: ChatView = noChat;
  /** Null before one is in. */
  rights: ToldRights | null = null;
  view: RoomView = { is: "connecting", me: "", people: [] };
  /** To make PeerConnections with, once one is in; a server without any says nothing of them. */
  iceServers: readonly ICEServer[] = [];
  private readonly redial = new Redial();
  private readonly talk = new Chat();
  private readonly spectators = new Set<(reacted: Reacted) => void>();
  private readonly watchers = new Set<() => void>();
  private readonly people = new Map<string, Person>();
  private socket: WebSocket | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private watchdog: ReturnType<typeof setInterval> | undefined;
  private heardAt = 0;
  private isWanted = false;
  private me = "";
  private token: string | null = null;
  /** Of the last change. */
  private seq: number | null = null;
  private follower: Follower | null = null;
  private lastRequest = leaving;
  private readonly requests = new Map<number, { done: (answer: Answered) => void; refused: (why: Refused) => void; timer: ReturnType<typeof setTimeout> }>();
  private isRenewing = false;
  private isLeaving = false;

  /** @param renew another pass where the first one is over by the time that the seat is; null: there is none. */
  constructor(private pass: string, private readonly open: () => WebSocket = dialled, private readonly renew: (() => Promise<string | null>) | null = null) {}

  /** One alone. */
  follow(follower: Follower): void { this.follower = follower; }

  watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  start(): void {
    if (this.isWanted || this.view.is === "over") return;
    this.isWanted = true;
    this.dial();
  }

  /** Nobody looks any more: the server keeps the seat for a minute. */
  stop(): void {
    this.isWanted = false;
    clearTimeout(this.timer);
    this.hangUp();
  }

  /** Gives the seat up; it is over when the server has said so, soon where it does not, or at once where nobody hears it. */
  leave(): void {
    if (this.view.is !== "in") return this.end("left");
    this.isLeaving = true;
    this.send(leaving, { type: "leave" });
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.end("left"), parting);
  }

  /** Somebody does not want to wait: the network is another one, or back. */
  now(): void {
    if (this.view.is !== "lost" || !this.isWanted || this.isRenewing) return;
    clearTimeout(this.timer);
    this.hangUp();
    this.dial();
  }

  /** What rises over the room for a moment: it is told once. */
  spectate = (spectator: (reacted: Reacted) => void): (() => void) => {
    this.spectators.add(spectator);
    return () => this.spectators.delete(spectator);
  };

  /** @returns the answer, where there is one. @throws `Refused`. */
  ask(order: Order): Promise<string> { return this.request(order).then(({ answer }) => answer ?? ""); }

  /** @throws `Refused`. */
  private read(question: Question): Promise<readonly ChatMessage[]> { return this.request(question).then(({ messages }) => messages ?? []); }

  /** The newest messages that hold a text. @throws `Refused`. */
  search(text: string): Promise<readonly ChatMessage[]> { return this.read({ type: "search", body: { text } }); }

  /** Reads what was written before all that is known. @throws `Refused`. */
  async readOlder(): Promise<void> {
    const { age, before } = this.talk;
    const found = await this.read({ type: "history", body: before === null ? {} : { before } });
    // Everything was told anew meanwhile, or somebody else has read it.
    if (age !== this.talk.age || before !== this.talk.before) return;
    this.talk.older(found);
    this.show();
  }

  /** All that was written has been seen. */
  see(): void {
    if (!this.talk.isUnseen) return;
    this.talk.see();
    this.show();
  }

  private request(order: Order | Question): Promise<Answered> {
    if (this.view.is !== "in") return Promise.reject(new Refused("lost"));
    const id = ++this.lastRequest;
    return new Promise((done, refused) => {
      // Whatever is with the connection then, it is made again.
      const timer = setTimeout(() => this.lose(), patience);
      this.requests.set(id, { done, refused, timer });
      this.send(id, order);
    });
  }

  private dial(): void {
    const socket = this.open();
    this.socket = socket;
    this.heardAt = performance.now();
    socket.onopen = () => this.enter();
    socket.onmessage = event => this.hear(JSON.parse(String(event.data)) as Message);
    socket.onclose = () => this.lose();
    this.watchdog = setInterval(() => { if (performance.now() - this.heardAt > silence) this.lose(); }, 1000);
  }

  private enter(): void {
    if (this.token === null) this.send(entering, { type: "join", body: { token: this.pass } });
    else this.send(entering, { type: "resume", body: { token: this.token, seq: this.seq } });
  }

  private send(id: number, order: object): void { this.socket?.send(JSON.stringify({ id, order })); }

  private hear(message: Message): void {
    this.heardAt = performance.now();
    switch (message.type) {
      case "done": {
        const { id, entry, answer, messages } = message.body;
        if (!entry) return this.taken(id)?.done({ answer, messages });
        this.redial.answered();
        [this.me, this.token, this.iceServers] = [entry.participant, entry.resume, entry.iceServers ?? []];
        this.tell("in");
        return this.follower?.entered(entry);
      }
      case "refused": {
        const { id, reason, text } = message.body;
        return id === entering ? this.refused(reason) : this.taken(id)?.refused(new Refused(reason, text));
      }
      case "snapshot":
        this.people.clear();
        for (const one of message.body.participants) this.people.set(one.id, one);
        this.conditions = message.body.conditions ?? this.conditions;
        this.talk.begin(message.body.chat ?? []);
        this.seq = message.body.seq;
        return this.tell("in");
      case "participant": {
        const { seq, participant } = message.body;
        return this.change(seq, () => this.people.set(participant.id, participant));
      }
      case "left": {
        const { seq, participant } = message.body;
        return this.change(seq, () => this.people.delete(participant));
      }
      case "conditions": {
        const { seq, conditions } = message.body;
        return this.change(seq, () => { this.conditions = conditions; });
      }
      case "chat": {
        const { seq, message: written } = message.body;
        return this.change(seq, () => this.talk.put(written));
      }
      case "unsaid": {
        const { seq, message: withdrawn } = message.body;
        return this.change(seq, () => this.talk.drop(withdrawn));
      }
      case "reaction":
        // Nothing that stays is another by it.
        if (this.count(message.body.seq)) for (const one of [...this.spectators]) one(message.body);
        return;
      case "rights":
        this.rights = message.body;
        return this.show();
      case "offer": return this.follower?.offered(message.body);
      case "ended": return this.follower?.ended(message.body.side);
      case "over": return this.end(message.body.reason);
      // One or more changes that are not for this page.
      case "passed":
        this.seq = this.seq === null ? null : message.body.seq;
        return;
      case "alive": return;
      // What this version does not know is counted where it is a change.
      default: return this.skip(message as { body?: { seq?: unknown } | null });
    }
  }

  private skip({ body }: { body?: { seq?: unknown } | null }): void {
    if (typeof body?.seq === "number") this.count(body.seq);
  }

  private change(seq: number, apply: () => unknown): void {
    if (!this.count(seq)) return;
    apply();
    this.tell("in");
  }

  /** Changes come one by one: where one is missing, everything is asked for again. @returns whether this is the next one. */
  private count(seq: number): boolean {
    if (this.seq === null || seq !== this.seq + 1) {
      this.seq = null;
      this.lose();
      return false;
    }
    this.seq = seq;
    return true;
  }

  private refused(reason: string): void {
    // The seat is another's or gone: the pass may open a new one.
    if (reason === "resume") {
      [this.token, this.seq] = [null, null];
      return this.enter();
    }
    // They were in, and their pass has ended meanwhile: it was for coming in.
    if (reason === "pass" && this.me !== "" && this.renew && !this.isRenewing) return void this.comeAnew(this.renew);
    this.end(reason === "pass" || reason === "full" || reason === "locked" ? reason : "failed");
  }

  private async comeAnew(renew: () => Promise<string | null>): Promise<void> {
    this.isRenewing = true;
    this.hangUp();
    this.tell("lost");
    let pass: string | null;
    try {
      pass = await renew();
    } catch {
      // Nobody says why: with the next one that is refused it is over.
      pass = null;
    }
    this.isRenewing = false;
    if (!this.isWanted) return;
    if (pass === null || pass === this.pass) return this.end("pass");
    // A seat by another pass is another one.
    [this.pass, this.me] = [pass, ""];
    this.dial();
  }

  private taken(id: number) {
    const request = this.requests.get(id);
    this.requests.delete(id);
    clearTimeout(request?.timer);
    return request;
  }

  private lose(): void {
    // Nobody comes back who was going.
    if (this.isLeaving) return this.end("left");
    this.hangUp();
    if (!this.isWanted) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.dial(), this.redial.failed(Math.random()));
    this.tell("lost");
  }

  private end(why: Ending): void {
    this.stop();
    this.view = { is: "over", why };
    for (const watcher of [...this.watchers]) watcher();
  }

  private hangUp(): void {
    clearInterval(this.watchdog);
    for (const id of [...this.requests.keys()]) this.taken(id)?.refused(new Refused("lost"));
    if (!this.socket) return;
    this.socket.onopen = this.socket.onmessage = this.socket.onclose = null;
    this.socket.close();
    this.socket = null;
  }

  /** As `tell`, of something that is no change of the room. */
  private show(): void { if (this.view.is === "in" || this.view.is === "lost") this.tell(this.view.is); }

  private tell(is: "in" | "lost"): void {
    if (this.me !== "") this.talk.sit(this.me);
    this.chat = this.talk.view();
    this.view = { is, me: this.me, people: [...this.people.values()].sort((a, b) => (a.id < b.id ? -1 : 1)) };
    for (const watcher of [...this.watchers]) watcher();
  }
}
