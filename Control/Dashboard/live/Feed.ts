import type { Access } from "../api/Access";
import type { Client } from "../api/Client";
import { Redial } from "./Redial";

/** `lost` carries when it is dialled again, by the clock of `performance.now()`. */
export type FeedState = { is: "connecting" } | { is: "connected" } | { is: "lost"; againAt: number };

type Message = { seq: number | null; topic: string; body: unknown };

/** The server speaks each second at least: without a word for so long what is shown is not how it is. */
const silence = 3000;
const firstWord = 10_000;

/** The WebSocket that tells what changes: dials, resumes where it was, and dials again when it is lost (Common/Wire/PROTOCOL.md). */
export class Feed {
  state: FeedState = { is: "connecting" };
  private readonly redial = new Redial();
  private readonly watchers = new Set<() => void>();
  private socket: WebSocket | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private watchdog: ReturnType<typeof setInterval> | undefined;
  private heardAt = 0;
  private isWanted = false;
  /** The last change that was seen; null within a whole picture, from which nothing is resumed. */
  private sequence: number | null = null;
  /** Whether the whole picture has come: until then a page does not know that there is nothing. */
  isWhole = false;

  constructor(private readonly client: Client, private readonly access: Access, private readonly take: (topic: string, body: unknown) => void) {}

  watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  start(): void {
    if (this.isWanted) return;
    this.isWanted = true;
    void this.dial();
  }

  /** Forgets everything: somebody else may sign in next. */
  stop(): void {
    this.isWanted = false;
    clearTimeout(this.timer);
    this.hangUp();
    this.sequence = null;
    this.isWhole = false;
    for (const topic of ["forget", "all", "whole"]) this.take(topic, null);
    this.set({ is: "connecting" });
  }

  /** Somebody does not want to wait. */
  now(): void {
    if (this.state.is !== "lost" || !this.isWanted) return;
    clearTimeout(this.timer);
    void this.dial();
  }

  private async dial(): Promise<void> {
    this.set({ is: "connecting" });
    let ticket: string;
    try {
      ({ ticket } = await this.client.call("postAuthTicket", {}));
    } catch {
      // Whatever it was: it is said that the connection is lost, and tried again. Who is signed out is asked to sign in.
      return this.lose();
    }
    if (!this.isWanted) return;
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const since = this.sequence === null ? "" : `&since=${this.sequence}`;
    const socket = new WebSocket(`${scheme}//${location.host}/api/v1/live?ticket=${encodeURIComponent(ticket)}${since}`);
    this.socket = socket;
    this.heardAt = performance.now();
    socket.onmessage = event => this.hear(String(event.data));
    socket.onclose = () => this.lose();
    this.watchdog = setInterval(() => {
      if (performance.now() - this.heardAt > (this.state.is === "connected" ? silence : firstWord)) this.lose();
    }, 250);
  }

  private hear(text: string): void {
    this.heardAt = performance.now();
    const { seq, topic, body } = JSON.parse(text) as Message;
    if (this.state.is !== "connected") {
      this.redial.answered();
      this.set({ is: "connected" });
    }
    if (topic === "alive") return;
    if (seq !== null && this.sequence !== null && seq <= this.sequence) {
      // Numbers are left out, but none comes again: begin with the whole picture.
      this.sequence = null;
      return this.lose();
    }
    this.sequence = seq;
    this.take(topic, body);
    if ((topic === "whole" || seq !== null) && !this.isWhole) this.whole();
  }

  private whole(): void {
    this.isWhole = true;
    this.tell();
  }

  private lose(): void {
    this.hangUp();
    if (!this.isWanted || this.access.state.is === "out") return;
    clearTimeout(this.timer);
    const wait = this.redial.failed(Math.random());
    this.timer = setTimeout(() => void this.dial(), wait);
    this.set({ is: "lost", againAt: performance.now() + wait });
  }

  private hangUp(): void {
    clearInterval(this.watchdog);
    if (!this.socket) return;
    this.socket.onmessage = this.socket.onclose = null;
    this.socket.close();
    this.socket = null;
  }

  private set(state: FeedState): void {
    this.state = state;
    this.tell();
  }

  private tell(): void {
    for (const watcher of [...this.watchers]) watcher();
  }
}
