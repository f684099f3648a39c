import { reports } from "../api/Server";
import { obstacle, type Obstacle } from "../live/Devices";
import { Mending, type Health, type Remedy } from "../live/Mending";
import { peerServers } from "../live/Peers";
import { judge, worst, type Count, type Quality } from "../live/Quality";
import { rightsOf, type Rights, type ToldRights } from "../live/Rights";
import { Room, type Media, type Order, type Person, type RoomView } from "../live/Room";
import { Speakers } from "../live/Speakers";
import { isHeld, mediaOf, personTile, screenTile, sends } from "../live/Tiles";
import type { Stat } from "../live/Vitals";
import { failure, type Capture } from "./Capture";
import { Figures, ofLine, outgoing } from "./Figures";
import { Publisher, type Sent } from "./Publisher";
import { Meter } from "./Sound";
import { Subscriber, type Line } from "./Subscriber";

/** What is wished, and what the server has confirmed of it. */
export type Doing = "off" | "starting" | "on" | "stopping";

export type CallView = {
  room: RoomView;
  /** What one may send and see by now. */
  may: Rights;
  /** By the ids of tiles; one's own as well. */
  pictures: ReadonlyMap<string, MediaStreamTrack>;
  sounds: readonly Line[];
  microphone: Doing;
  camera: Doing;
  screen: Doing;
  speaking: ReadonlySet<string>;
  speaker: string | null;
  spoke: ReadonlyMap<string, number>;
  /** Of each participant's way to here, and one's own to the server. */
  quality: ReadonlyMap<string, Quality>;
  /** Why the server does not take or give sound and pictures, by its reasons; null: it does. */
  trouble: string | null;
  /** Whether one of the two connections is being made, or made again. */
  isConnecting: boolean;
  /** Why the last screen was not shown; null where none was asked for. */
  obstacle: Obstacle | null;
};

/** Between two looks at how loud everybody is, and at how well they come, in milliseconds. */
const interval = 250, looks = 8;

/** Somebody in a meeting: their seat, what they send and what they get, and what there is to show of it. */
export class Call {
  readonly room: Room;
  view: CallView;
  private readonly publisher: Publisher;
  private readonly subscriber: Subscriber;
  private readonly speakers = new Speakers();
  private readonly meter = new Meter();
  private readonly figures = new Figures();
  private readonly ways = { up: new Mending(true), down: new Mending(false) };
  private known: { up: RTCPeerConnection | null; down: RTCPeerConnection | null } = { up: null, down: null };
  private readonly watchers = new Set<() => void>();
  /** What the server has said last of what one may. */
  private told: { rights: ToldRights; may: Rights } | null = null;
  private screen: MediaStream | null = null;
  private quality: ReadonlyMap<string, Quality> = new Map();
  private counted = { at: 0, all: new Map<string, Count>() };
  private heard: MediaStreamTrack | null = null;
  private obstacle: Obstacle | null = null;
  private timer: ReturnType<typeof setInterval> | undefined;
  private ends: (() => void)[] = [];
  private beats = 0;
  private isBeating = false;
  /** What hosts have switched off of one's own. */
  private stopped: ReadonlySet<Media> = new Set();
  /** Between `start` and `stop`. */
  private isOn = false;
  private readonly witnessed = new Map<string, string>();
  private network: string | undefined;

  constructor(pass: string, renew: () => Promise<string | null>, private readonly rights: Rights, private readonly capture: Capture) {
    this.room = new Room(pass, undefined, renew);
    const ask = (order: Order) => this.room.ask(order), made = () => new RTCPeerConnection({ iceServers: peerServers(this.room.iceServers) });
    this.publisher = new Publisher(ask, made, this.changed, () => this.giveUp());
    this.subscriber = new Subscriber(ask, made, this.changed);
    this.room.follow({
      entered: ({ publishes, subscribes }) => {
        // The credentials of what is there already end one day: with its next restart it uses those of now.
        for (const peer of [this.publisher.peer, this.subscriber.peer]) peer?.setConfiguration({ iceServers: peerServers(this.room.iceServers) });
        this.publisher.entered(publishes);
        this.subscriber.entered(subscribes);
      },
      offered: offer => this.subscriber.offered(offer),
      ended: side => (side === "publish" ? this.publisher : this.subscriber).renew(),
    });
    this.view = this.shown();
  }

  watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  start(): void {
    this.isOn = true;
    // Whoever closes the page has left; whoever loses the network has not.
    const close = (event: PageTransitionEvent) => { if (!event.persisted) this.leave(); };
    const moved = () => this.moved(), typed = () => { if (this.network !== networkOf()) this.moved(); };
    const connection = networkInformation();
    this.network = networkOf();
    addEventListener("online", moved);
    addEventListener("pagehide", close);
    connection?.addEventListener("change", typed);
    this.ends = [
      this.capture.hold(), this.capture.watch(this.follow), this.room.watch(this.heed),
      () => removeEventListener("online", moved), () => removeEventListener("pagehide", close), () => connection?.removeEventListener("change", typed),
    ];
    this.timer = setInterval(() => void this.beat(), interval);
    this.room.start();
    this.follow();
    const { choice, obstacles } = this.capture.view, wished = { camera: choice.isSeen && this.may.camera, microphone: choice.isHeard && this.may.microphone };
    void this.capture.open(...(["camera", "microphone"] as const).filter(kind => wished[kind] && !obstacles[kind]));
  }

  stop(): void {
    this.isOn = false;
    clearInterval(this.timer);
    for (const end of this.ends) end();
    this.ends = [];
    this.dropScreen();
    this.publisher.stop();
    this.subscriber.stop();
    this.leave();
    this.room.stop();
    this.meter.close();
  }

  /** Gives the seat up where one has it. */
  private leave(): void { if (this.room.view.is === "in") this.room.leave(); }

  // What one sends

  /** Heard or not: at once on this side, and confirmed when the server has said so. */
  hear(isHeard: boolean): void {
    this.capture.prefer({ isHeard });
    if (!isHeard) return;
    void this.capture.open("microphone");
    this.turnOn("microphone");
  }

  see(isSeen: boolean): void {
    this.capture.prefer({ isSeen });
    if (!isSeen) return this.capture.shut("camera");
    void this.capture.open("camera");
    this.turnOn("camera");
  }

  /** What a host has stopped goes on once its owner says so. */
  private turnOn(source: Sent): void {
    const view = this.room.view, own = view.is === "over" ? undefined : view.people.find(one => one.id === view.me);
    // What is refused stays off, and that is seen.
    if (own && isHeld(own, source)) this.room.ask({ type: "turn", body: { media: mediaOf[source], isOn: true } }).catch(() => undefined);
  }

  async showScreen(): Promise<void> {
    this.obstacle = null;
    this.turnOn("screen");
    try {
      const media = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { ideal: 15, max: 30 } }, audio: true });
      const [picture] = media.getVideoTracks();
      // One may have left, or been sent away, while the browser asked.
      if (!this.isOn || !picture) {
        for (const track of media.getTracks()) track.stop();
        return;
      }
      this.dropScreen();
      picture.contentHint = "detail";
      // The browser has a button of its own for it.
      picture.onended = () => this.showNoScreen();
      this.screen = media;
    } catch (thrown) {
      // Whoever thinks better of it is told nothing.
      const why = obstacle(thrown as Error);
      if (why === "denied" || why === "dismissed") reports.note(`screen: ${why}`);
      else reports.tell("media", failure(`screen: ${why}`, thrown));
      this.obstacle = why === "denied" || why === "dismissed" ? null : why;
    }
    this.follow();
  }

  showNoScreen(): void {
    this.dropScreen();
    this.follow();
  }

  /** A camera and a screen that a host has switched off are seen by nobody: they are captured again when their owner says so. */
  private readonly heed = (): void => {
    this.settle();
    const view = this.room.view, own = view.is === "over" ? undefined : view.people.find(one => one.id === view.me);
    const before = this.stopped;
    this.stopped = new Set<Media>(own?.stoppedBy && own.stoppedBy !== own.id ? own.off ?? [] : []);
    const isNew = (media: Media) => this.stopped.has(media) && !before.has(media);
    const [camera, screen] = [isNew("video"), isNew("screen")];
    if (camera) this.capture.shut("camera");
    if (screen) this.dropScreen();
    if (camera || screen) this.follow(); else this.changed();
  };

  private get may(): Rights { return this.told?.may ?? this.rights; }

  /** What one may send no more is captured no more. What one may from now on waits for one's press: nobody is heard or seen by another's decision. */
  private settle(): void {
    const told = this.room.rights, before = this.may;
    if (!told || told === this.told?.rights) return;
    const may = rightsOf(told);
    this.told = { rights: told, may };
    const lost = (["microphone", "camera", "screen"] as const).filter(one => before[one] && !may[one]);
    if (lost.length === 0) return;
    this.capture.shut(...(["microphone", "camera"] as const).filter(one => lost.includes(one)));
    if (lost.includes("screen")) this.dropScreen();
    this.follow();
    if (!may.microphone && !may.camera && !may.screen) this.publisher.silence();
  }

  /** What is sent to nobody is not captured either: whoever presses again is asked again. */
  private giveUp(): void {
    this.dropScreen();
    this.capture.shut("camera", "microphone");
  }

  private dropScreen(): void {
    for (const track of this.screen?.getTracks() ?? []) {
      track.onended = null;
      track.stop();
    }
    this.screen = null;
  }

  /** What is captured goes out as far as it is wished, and may. */
  private readonly follow = (): void => {
    const { choice, tracks } = this.capture.view, voice = tracks.microphone;
    if (voice) voice.enabled = choice.isHeard;
    this.publisher.send("microphone", choice.isHeard && this.may.microphone ? voice : null);
    this.publisher.send("camera", choice.isSeen && this.may.camera ? tracks.camera : null);
    this.publisher.send("screen", this.screen?.getVideoTracks()[0] ?? null);
    this.publisher.send("screen-sound", this.screen?.getAudioTracks()[0] ?? null);
    if (voice !== this.heard) this.meter.hear(this.heard = voice);
    this.changed();
  };

  // What is shown

  private readonly changed = (): void => {
    this.view = this.shown();
    this.witness();
    for (const watcher of [...this.watchers]) watcher();
  };

  private shown(): CallView {
    const room = this.room.view, people = room.is === "over" ? [] : room.people, me = room.is === "over" ? "" : room.me;
    const own = people.find(one => one.id === me), { speaking, speaker, spoke } = this.speakers;
    return {
      room, may: this.may, pictures: this.pictures(people, me), sounds: this.sounds(people),
      microphone: this.doing("microphone", own), camera: this.doing("camera", own), screen: this.doing("screen", own),
      speaking, speaker, spoke: new Map(spoke), quality: this.quality, trouble: this.publisher.refusal ?? this.subscriber.refusal,
      isConnecting: this.isConnecting, obstacle: this.obstacle,
    };
  }

  /** What support wants to know of a meeting that went wrong: failures are told, and what else happened goes with them. */
  private witness(): void {
    const { room, trouble, quality } = this.view, own = room.is === "over" ? null : quality.get(room.me) ?? null;
    const now = {
      room: room.is === "over" ? `over, ${room.why}` : room.is, trouble: trouble ?? "none", network: own ?? "unknown",
      "way up": this.publisher.peer?.connectionState ?? "none", "way down": this.subscriber.peer?.connectionState ?? "none",
    };
    for (const [name, state] of Object.entries(now)) {
      if (this.witnessed.get(name) === state) continue;
      this.witnessed.set(name, state);
      if (state === "failed") reports.tell("media", new Error(`${name}: failed`)); else reports.note(`${name}: ${state}`);
    }
  }

  private get isConnecting(): boolean {
    return [this.publisher.peer, this.subscriber.peer].some(peer => peer !== null && peer.connectionState !== "connected");
  }

  private doing(source: Sent, own: Person | undefined): Doing {
    if (own && isHeld(own, source)) return "off";
    const isConfirmed = own !== undefined && sends(own, source);
    return this.publisher.wants(source) ? (isConfirmed ? "on" : "starting") : (isConfirmed ? "stopping" : "off");
  }

  /** Of those who are there: what somebody had left behind is not heard. */
  private sounds(people: readonly Person[]): readonly Line[] {
    return this.subscriber.lines.filter(({ media, participant }) => media.kind === "audio" && people.some(one => one.id === participant));
  }

  private pictures(people: readonly Person[], me: string): ReadonlyMap<string, MediaStreamTrack> {
    const found = new Map<string, MediaStreamTrack>();
    for (const { participant, track, media } of this.subscriber.lines) {
      const person = people.find(one => one.id === participant), source = person?.tracks.find(one => one.mid === track)?.source;
      if (media.kind === "video" && person && source && !isHeld(person, source)) found.set((source === "screen" ? screenTile : personTile)(participant).id, media);
    }
    const { camera } = this.capture.view.tracks, screen = this.screen?.getVideoTracks()[0];
    if (camera && this.publisher.wants("camera")) found.set(personTile(me).id, camera);
    if (screen) found.set(screenTile(me).id, screen);
    return found;
  }

  // How it goes

  private async beat(): Promise<void> {
    // A browser that takes longer to count than that is not asked twice.
    if (this.isBeating || this.room.view.is === "over") return;
    this.isBeating = true;
    try {
      await this.look();
    } catch {
      // A connection was closed while it was being asked: the next look asks the one after it.
    }
    this.isBeating = false;
  }

  private async look(): Promise<void> {
    const view = this.room.view, now = performance.now();
    if (view.is === "over") return;
    const down = this.subscriber.peer, all = down && await this.figures.incoming(down, this.subscriber.lines);
    const levels = new Map(view.people.map(one => [one.id, all?.levels.get(one.id) ?? 0]));
    if (levels.has(view.me) && this.publisher.wants("microphone")) levels.set(view.me, this.meter.level());
    let isOther = this.speakers.look(levels, now);
    if (++this.beats % looks === 0) isOther = await this.rate(view.me, all?.counts ?? new Map(), now) || isOther;
    this.mend(now);
    this.witness();
    if (isOther || this.isConnecting !== this.view.isConnecting) this.changed();
  }

  private async rate(me: string, counts: ReadonlyMap<string, Count>, now: number): Promise<boolean> {
    const all = new Map(counts), up = this.publisher.peer;
    if (up) all.set(me, await outgoing(up));
    const before = this.counted, seconds = (now - before.at) / 1000, rated = new Map<string, Quality>();
    for (const [id, count] of all) {
      const earlier = before.all.get(id), quality = earlier ? judge(earlier, count, seconds) : null;
      if (quality) rated.set(id, quality);
    }
    // One's own way is as bad as the worse of its directions, where all that comes is bad.
    const others = [...rated].filter(([id]) => id !== me).map(([, quality]) => quality);
    const own = worst(rated.get(me) ?? null, others.length > 0 && others.every(one => one !== "good") ? worst(...others) : null);
    if (own) rated.set(me, own);
    this.counted = { at: now, all };
    const isOther = [...rated].join() !== [...this.quality].join();
    this.quality = rated;
    return isOther;
  }

  /** All that the browser counts of the two ways. */
  async counts(): Promise<{ up: readonly Stat[]; down: readonly Stat[] }> {
    const of = async (peer: RTCPeerConnection | null) => (peer ? [...(await peer.getStats()).values()] as Stat[] : []);
    return { up: await of(this.publisher.peer), down: await of(this.subscriber.peer) };
  }

  /** Whose track something is that comes. */
  lineOf(stat: Stat): Line | null { return this.subscriber.lines.find(line => ofLine(line)(stat)) ?? null; }

  // How it is healed

  private mend(now: number): void {
    // Nothing is made anew without the server.
    if (this.room.view.is !== "in") return;
    for (const side of ["up", "down"] as const) {
      const peer = this.peerOf(side);
      if (peer !== this.known[side]) {
        this.known[side] = peer;
        this.ways[side].began(now);
      }
      if (peer) this.apply(side, this.ways[side].look(peer.connectionState as Health, now, Math.random()));
    }
  }

  /** The network is another one, or is back. */
  private moved(): void {
    this.network = networkOf();
    this.room.now();
    if (this.room.view.is !== "in") return;
    for (const side of ["up", "down"] as const) {
      const peer = this.peerOf(side);
      if (peer) this.apply(side, this.ways[side].moved(peer.connectionState as Health, performance.now(), Math.random()));
    }
  }

  private peerOf(side: "up" | "down"): RTCPeerConnection | null { return (side === "up" ? this.publisher : this.subscriber).peer; }

  private apply(side: "up" | "down", remedy: Remedy | null): void {
    if (remedy === "restart") this.publisher.restart();
    if (remedy === "renew") (side === "up" ? this.publisher : this.subscriber).renew();
  }
}

/** Not every browser tells of it. */
const networkInformation = () => (navigator as unknown as { connection?: EventTarget & { type?: string } }).connection;
const networkOf = (): string | undefined => networkInformation()?.type;
