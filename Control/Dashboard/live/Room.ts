import { Redial } from "./Redial";

export type Person = { id: string; name: string; role: "host" | "member" | "guest"; isAway: boolean };
/** Why somebody is in a room no more, or does not come in. */
export type Ending = "left" | "removed" | "replaced" | "closed" | "signed-out" | "pass" | "full" | "failed";
export type RoomView = { is: "connecting" | "in" | "lost"; me: string; people: readonly Person[] } | { is: "over"; why: Ending };

type Message =
  | { type: "done"; body: { id: number; entry?: { participant: string; resume: string } | null } }
  | { type: "refused"; body: { id: number; reason: string } }
  | { type: "snapshot"; body: { seq: number; participants: Person[] } }
  | { type: "participant"; body: { seq: number; participant: Person } }
  | { type: "left"; body: { seq: number; participant: string } }
  | { type: "over"; body: { reason: Ending } }
  | { type: "alive" | "offer" | "ended" };

/** The server speaks each two seconds at least. */
const silence = 7000;
const entering = 1, leaving = 2;

const dialled = (): WebSocket => new WebSocket(`${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}/api/v1/join`);

/**
 * Somebody's seat in a room (Common/Wire/PROTOCOL.md, rooms and pages): comes in by a pass, comes back by its token after a lost connection, and knows who is there.
 * The pass and the token are in messages, never in an address.
 */
export class Room {
  view: RoomView = { is: "connecting", me: "", people: [] };
  private readonly redial = new Redial();
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

  constructor(private readonly pass: string, private readonly open: () => WebSocket = dialled) {}

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

  /** Gives the seat up; it is over when the server has said so, or at once where nobody hears it. */
  leave(): void {
    if (this.view.is === "in") this.send(leaving, { type: "leave" }); else this.end("left");
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
        const { entry } = message.body;
        if (!entry) return;
        this.redial.answered();
        [this.me, this.token] = [entry.participant, entry.resume];
        return this.tell("in");
      }
      case "refused": return message.body.id === entering ? this.refused(message.body.reason) : undefined;
      case "snapshot":
        this.people.clear();
        for (const one of message.body.participants) this.people.set(one.id, one);
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
      case "over": return this.end(message.body.reason);
    }
  }

  /** Changes come one by one: where one is missing, everything is asked for again. */
  private change(seq: number, apply: () => unknown): void {
    if (this.seq === null || seq !== this.seq + 1) {
      this.seq = null;
      return this.lose();
    }
    this.seq = seq;
    apply();
    this.tell("in");
  }

  private refused(reason: string): void {
    // The seat is another's or gone: the pass may open a new one.
    if (reason === "resume") {
      [this.token, this.seq] = [null, null];
      return this.enter();
    }
    this.end(reason === "pass" || reason === "full" ? reason : "failed");
  }

  private lose(): void {
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
    if (!this.socket) return;
    this.socket.onopen = this.socket.onmessage = this.socket.onclose = null;
    this.socket.close();
    this.socket = null;
  }

  private tell(is: "in" | "lost"): void {
    this.view = { is, me: this.me, people: [...this.people.values()].sort((a, b) => (a.id < b.id ? -1 : 1)) };
    for (const watcher of [...this.watchers]) watcher();
  }
}
