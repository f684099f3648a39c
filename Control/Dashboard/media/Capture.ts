import { reports } from "../api/Server";
import { listed, obstacle, present, remembered, type Choice, type Device, type Kind, type Obstacle } from "../live/Devices";

export type Own = "camera" | "microphone";

/** What this browser lets us use, and what of it is on. */
export type CaptureView = {
  choice: Choice;
  devices: Readonly<Record<Kind, readonly Device[]>>;
  tracks: Readonly<Record<Own, MediaStreamTrack | null>>;
  obstacles: Readonly<Record<Own, Obstacle | null>>;
  isOpening: boolean;
};

const place = "strata.devices";
/** Between one page of a meeting and the next nobody holds the devices. */
const patience = 1500;

function kept(): string | null {
  try {
    return localStorage.getItem(place);
  } catch {
    // Storage is closed to us: as if nothing had been chosen.
    return null;
  }
}

/** One's own camera and microphone, for the check before a meeting and for the meeting. */
export class Capture {
  view: CaptureView = {
    choice: remembered(kept()), devices: { camera: [], microphone: [], speaker: [] }, tracks: { camera: null, microphone: null },
    obstacles: { camera: null, microphone: null }, isOpening: false,
  };
  private readonly watchers = new Set<() => void>();
  private holders = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** One request after the other: a browser asks about each. */
  private busy: Promise<void> = Promise.resolve();

  watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  /** Somebody needs the devices. @returns what lets go of them; with the last one they are switched off. */
  hold(): () => void {
    clearTimeout(this.timer);
    if (this.holders++ === 0) navigator.mediaDevices?.addEventListener("devicechange", this.list);
    void this.list();
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      if (--this.holders > 0) return;
      navigator.mediaDevices?.removeEventListener("devicechange", this.list);
      this.timer = setTimeout(() => this.shut("camera", "microphone"), patience);
    };
  }

  /** Switches on what is off. */
  open(...kinds: readonly Own[]): Promise<void> {
    this.busy = this.busy.then(() => this.request(kinds.filter(kind => !this.view.tracks[kind])));
    return this.busy;
  }

  shut(...kinds: readonly Own[]): void {
    for (const kind of kinds) this.put(kind, null);
  }

  /** Uses another one from now on, at once where one of the kind is on. */
  choose(kind: Kind, id: string): Promise<void> {
    this.prefer({ [kind]: id });
    if (kind === "speaker") return Promise.resolve();
    this.busy = this.busy.then(() => (this.view.tracks[kind] || this.view.obstacles[kind] ? this.exchange(kind) : undefined));
    return this.busy;
  }

  private async exchange(kind: Own): Promise<void> {
    // Phones open one camera at a time.
    this.view.tracks[kind]?.stop();
    await this.request([kind]);
    const { tracks } = this.view;
    if (tracks[kind]?.readyState === "ended") this.set({ tracks: { ...tracks, [kind]: null } });
  }

  prefer(change: Partial<Choice>): void {
    this.set({ choice: { ...this.view.choice, ...change } });
    try {
      localStorage.setItem(place, JSON.stringify(this.view.choice));
    } catch {
      // It holds until the page is left.
    }
  }

  private async request(kinds: readonly Own[]): Promise<void> {
    if (kinds.length === 0) return;
    this.set({ isOpening: true });
    const refused = await this.take(kinds);
    // One of them may be there: each is asked for alone, where nobody has just said no.
    if (refused && kinds.length > 1 && refused !== "dismissed") for (const kind of kinds) await this.take([kind]);
    this.set({ isOpening: false });
    await this.list();
  }

  /** @returns why not; null: they are on. */
  private async take(kinds: readonly Own[]): Promise<Obstacle | null> {
    try {
      const media = await navigator.mediaDevices.getUserMedia({
        ...(kinds.includes("camera") && { video: this.wish("camera", { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } }) }),
        ...(kinds.includes("microphone") && { audio: this.wish("microphone", { echoCancellation: true, noiseSuppression: true, autoGainControl: true }) }),
      });
      const { isSeen, isHeard } = this.view.choice;
      for (const track of media.getTracks()) {
        const isVideo = track.kind === "video";
        // Nobody needs it any more, or it was switched off while the browser asked.
        if (this.holders === 0 || !(isVideo ? isSeen : isHeard)) track.stop();
        else this.put(isVideo ? "camera" : "microphone", track);
      }
      return null;
    } catch (thrown) {
      // Without any at all there is no such thing in an insecure page.
      const why = window.isSecureContext ? obstacle(thrown as Error) : "insecure";
      for (const kind of kinds) this.refuse(kind, why);
      reports.tell("media", failure(`${kinds.join(" and ")}: ${why}`, thrown));
      return why;
    }
  }

  private wish(kind: Own, otherwise: MediaTrackConstraints): MediaTrackConstraints {
    const chosen = this.view.choice[kind], isThere = present(chosen, this.view.devices[kind]) !== "";
    return chosen === "" ? otherwise : { ...otherwise, deviceId: isThere ? { exact: chosen } : { ideal: chosen } };
  }

  private put(kind: Own, track: MediaStreamTrack | null): void {
    const before = this.view.tracks[kind];
    if (track) {
      track.contentHint = kind === "camera" ? "motion" : "speech";
      // It was unplugged, or taken from us.
      track.onended = () => { if (this.view.tracks[kind] === track) this.lose(kind); };
    }
    this.set({ tracks: { ...this.view.tracks, [kind]: track }, obstacles: { ...this.view.obstacles, [kind]: null } });
    reports.note(`${kind}: ${track ? "on" : "off"}`);
    if (!before || before === track) return;
    before.onended = null;
    before.stop();
  }

  private lose(kind: Own): void {
    this.put(kind, null);
    this.refuse(kind, "ended");
    reports.note(`${kind}: ended`);
    // Another one may be there.
    void this.open(kind);
  }

  private refuse(kind: Own, why: Obstacle): void { this.set({ obstacles: { ...this.view.obstacles, [kind]: why } }); }

  private readonly list = async (): Promise<void> => {
    try {
      const all = await navigator.mediaDevices.enumerateDevices();
      this.set({ devices: { camera: listed(all, "camera"), microphone: listed(all, "microphone"), speaker: listed(all, "speaker") } });
    } catch {
      // There is no list: nothing can be chosen, and what is used is the system's choice.
    }
  };

  private set(change: Partial<CaptureView>): void {
    this.view = { ...this.view, ...change };
    for (const watcher of [...this.watchers]) watcher();
  }
}

/** What a browser refuses, in its own words behind ours: without those nobody knows why somebody had no camera. */
export function failure(what: string, thrown: unknown): Error {
  const { name, message } = thrown instanceof Error ? thrown : { name: "Error", message: String(thrown) };
  const told = new Error(`${what} (${message})`);
  told.name = name;
  return told;
}

export const capture = new Capture();
