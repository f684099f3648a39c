import type { Client } from "../api/Client";
import { Redial } from "./Redial";

/** One message of a preview (`PreviewChunk`, Common/Wire). */
export type Part = { kind: "beginning"; type: string; bytes: Uint8Array } | { kind: "key" | "more"; bytes: Uint8Array };

/** null for what is none. */
export function part(message: ArrayBuffer): Part | null {
  const bytes = new Uint8Array(message), kind = bytes[0];
  if (kind === 2 || kind === 3) return { kind: kind === 2 ? "key" : "more", bytes: bytes.subarray(1) };
  const count = bytes[1];
  if (kind !== 1 || count === undefined || bytes.length < 2 + count) return null;
  const codecs = String.fromCharCode(...bytes.subarray(2, 2 + count));
  return /^[A-Za-z0-9.,]+$/.test(codecs) ? { kind: "beginning", type: `video/mp4; codecs="${codecs}"`, bytes: bytes.subarray(2 + count) } : null;
}

/** Seconds behind the newest picture: where it is played from, from when on it is played faster, and from when on it goes there at once. */
const behind = { from: 1, hurry: 1.8, leap: 5 };

/** What a player is to do at a place of what it has: stay, hurry, or go elsewhere. */
export function chase(at: number, ranges: readonly (readonly [start: number, end: number])[]): { to?: number; rate: number } {
  const last = ranges[ranges.length - 1];
  if (!last) return { rate: 1 };
  const [start, end] = last, newest = Math.max(start, end - behind.from);
  // Before the last hole there is nothing to wait for.
  if (at < start || at > end + 1 || end - at > behind.leap) return { to: newest, rate: 1 };
  return { rate: end - at > behind.hurry ? 1.1 : 1 };
}

export type PreviewState =
  | { is: "connecting" | "waiting" | "playing" | "paused" }
  /** Tried again by itself. */
  | { is: "lost"; reason: string }
  /** Tried again where somebody asks for it. */
  | { is: "refused"; reason: string }
  | { is: "unsupported"; codecs: string };

/** Kept of what was played, in seconds, and what may wait to be taken in, in bytes. */
const kept = 15, most = 16 << 20;
/** Without a word for so long no picture comes; a page that nobody sees plays for so long. */
const silence = 8000, unseen = 10_000;

/** A broadcast's live preview in a video element: dials, takes in what comes, stays at its newest picture, and dials again when it is lost. */
export class LivePreview {
  private readonly redial = new Redial();
  private readonly queue: Uint8Array[] = [];
  private waiting = 0;
  private socket: WebSocket | null = null;
  private source: MediaSource | null = null;
  private buffer: SourceBuffer | null = null;
  private address = "";
  private type = "";
  private state: PreviewState = { is: "connecting" };
  private heardAt = 0;
  private again: ReturnType<typeof setTimeout> | undefined;
  private hiding: ReturnType<typeof setTimeout> | undefined;
  private clock: ReturnType<typeof setInterval> | undefined;
  private isOver = false;

  constructor(
    private readonly client: Client, private readonly broadcast: string, private readonly video: HTMLVideoElement,
    private readonly tell: (state: PreviewState) => void,
  ) {}

  start(): void {
    this.clock = setInterval(() => this.look(), 250);
    this.video.addEventListener("error", this.failed);
    document.addEventListener("visibilitychange", this.seen);
    void this.dial();
  }

  /** For good. */
  stop(): void {
    this.isOver = true;
    clearInterval(this.clock);
    clearTimeout(this.hiding);
    this.video.removeEventListener("error", this.failed);
    document.removeEventListener("visibilitychange", this.seen);
    this.hangUp();
    this.empty();
  }

  private set(state: PreviewState): void {
    if (state.is === this.state.is && state.is !== "lost") return;
    this.state = state;
    this.tell(state);
  }

  // The connection

  private async dial(): Promise<void> {
    this.hangUp();
    this.set({ is: "connecting" });
    let ticket: string;
    try {
      ({ ticket } = await this.client.call("postAuthTicket", {}));
    } catch (fault) {
      return this.lose(fault instanceof Error ? fault.message : "");
    }
    if (this.isOver) return;
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const query = new URLSearchParams({ broadcast: this.broadcast, ticket });
    const socket = new WebSocket(`${scheme}//${location.host}/api/v1/preview?${query}`);
    this.socket = socket;
    this.heardAt = performance.now();
    socket.binaryType = "arraybuffer";
    socket.onmessage = event => this.hear(event.data as ArrayBuffer);
    // 1013: as many watch as may.
    socket.onclose = event => event.code === 1013 ? this.refuse(event.reason) : this.lose(event.reason);
  }

  private hear(message: ArrayBuffer): void {
    this.heardAt = performance.now();
    const got = part(message);
    if (!got) return this.lose("");
    if (got.kind === "beginning") {
      if (typeof MediaSource === "undefined" || !MediaSource.isTypeSupported(got.type)) {
        this.hangUp();
        this.empty();
        return this.set({ is: "unsupported", codecs: got.type.split('"')[1] ?? "" });
      }
      if (got.type !== this.type) this.open(got.type);
    }
    if (this.state.is === "connecting") this.set({ is: "waiting" });
    this.queue.push(got.bytes);
    this.waiting += got.bytes.length;
    if (this.waiting > most) return this.lose("");
    this.feed();
  }

  private lose(reason: string): void {
    this.hangUp();
    this.empty();
    if (this.isOver) return;
    this.again = setTimeout(() => void this.dial(), this.redial.failed(Math.random()));
    this.set({ is: "lost", reason });
  }

  private refuse(reason: string): void {
    this.hangUp();
    this.empty();
    this.set({ is: "refused", reason });
  }

  private hangUp(): void {
    clearTimeout(this.again);
    if (!this.socket) return;
    this.socket.onmessage = this.socket.onclose = null;
    this.socket.close();
    this.socket = null;
  }

  /** Nothing is made for a page that nobody sees. */
  private readonly seen = (): void => {
    clearTimeout(this.hiding);
    if (document.hidden) {
      this.hiding = setTimeout(() => {
        this.hangUp();
        this.empty();
        this.set({ is: "paused" });
      }, unseen);
    } else if (this.state.is === "paused") void this.dial();
  };

  // The player

  private open(type: string): void {
    this.empty();
    const source = new MediaSource();
    this.source = source;
    this.type = type;
    this.address = URL.createObjectURL(source);
    source.addEventListener("sourceopen", () => {
      if (source !== this.source) return;
      URL.revokeObjectURL(this.address);
      try {
        this.buffer = source.addSourceBuffer(type);
      } catch {
        return this.lose("");
      }
      this.buffer.addEventListener("updateend", () => this.feed());
      this.feed();
    });
    this.video.src = this.address;
  }

  private empty(): void {
    this.queue.length = this.waiting = 0;
    this.type = "";
    this.buffer = null;
    if (!this.source) return;
    this.source = null;
    URL.revokeObjectURL(this.address);
    this.video.removeAttribute("src");
    this.video.load();
  }

  private feed(): void {
    const { buffer, source } = this, next = this.queue[0];
    if (!buffer || !next || buffer.updating || source?.readyState !== "open" || this.video.error) return;
    try {
      buffer.appendBuffer(next);
    } catch {
      // It is full, or has failed: `failed` follows where it has.
      const old = this.video.currentTime - 2;
      if (buffer.buffered.length > 0 && old > buffer.buffered.start(0)) buffer.remove(0, old);
      return;
    }
    this.queue.shift();
    this.waiting -= next.length;
  }

  /** A few times a second: stays at the newest picture, and lets go of what was played. */
  private look(): void {
    const { video, buffer } = this;
    if (this.socket && performance.now() - this.heardAt > silence) this.set({ is: "waiting" });
    if (!buffer || buffer.updating || video.error) return;
    const ranges = Array.from({ length: buffer.buffered.length }, (_, index) => [buffer.buffered.start(index), buffer.buffered.end(index)] as const);
    const { to, rate } = chase(video.currentTime, ranges);
    if (to !== undefined && !video.seeking) video.currentTime = to;
    if (video.playbackRate !== rate) video.playbackRate = rate;
    // Muted at first, which no browser forbids.
    if (video.paused && ranges.length > 0) video.play().catch(() => {});
    if (!video.paused && video.readyState > 2 && performance.now() - this.heardAt < silence) {
      this.redial.answered();
      this.set({ is: "playing" });
    }
    const first = ranges[0];
    if (first && video.currentTime - first[0] > 2 * kept) buffer.remove(first[0], video.currentTime - kept);
    else this.feed();
  }

  private readonly failed = (): void => {
    // What `empty` does to it is no failure.
    if (this.source && this.video.error) this.lose(this.video.error.message);
  };
}
