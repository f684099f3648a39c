import { Redial } from "../live/Redial";
import { Refused, type Offer } from "../live/Room";
import type { Ask } from "./Publisher";

/** A track that comes: whose it is, by the mid under which they send it, and in which section of ours it lies. */
export type Line = { participant: string; track: string; mid: string; media: MediaStreamTrack };

/** What somebody gets of a room: one PeerConnection, which the server offers, and this page answers. */
export class Subscriber {
  peer: RTCPeerConnection | null = null;
  lines: readonly Line[] = [];
  /** Why nothing comes; null: something does, or will. */
  refusal: string | null = null;
  private readonly redial = new Redial();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private busy: Promise<void> = Promise.resolve();
  private newest = 0;
  /** The last answer: the server may ask for it again. */
  private answered = { number: 0, answer: "" };
  private isOver = false;

  /** @param changed other lines, another `peer`, or another `refusal`. */
  constructor(private readonly ask: Ask, private readonly made: () => RTCPeerConnection, private readonly changed: () => void) {}

  /** Somebody has their seat again. @param goesOn whether the connection is there still. */
  entered(goesOn: boolean): void {
    if (goesOn) return;
    // It may be another seat, whose offers are counted anew.
    [this.newest, this.answered] = [0, { number: 0, answer: "" }];
    void this.begin();
  }

  /** The connection is over; another one is asked for. */
  renew(): void { void this.begin(); }

  stop(): void {
    this.isOver = true;
    clearTimeout(this.timer);
    this.close();
  }

  private async begin(): Promise<void> {
    clearTimeout(this.timer);
    this.close();
    if (this.isOver) return;
    try {
      await this.ask({ type: "subscribe" });
      this.redial.answered();
      this.tell(null);
    } catch (thrown) {
      this.failed(thrown);
    }
  }

  private failed(thrown: unknown): void {
    if (this.isOver) return;
    const reason = thrown instanceof Refused ? thrown.reason : "failed";
    // Whoever has no connection to the server is told with the next one whether it goes on.
    if (reason === "lost") return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.begin(), this.redial.failed(Math.random()));
    this.tell(reason);
  }

  /** One after the other; of several that wait, the newest alone. */
  offered(offer: Offer): void {
    this.newest = Math.max(this.newest, offer.number);
    this.busy = this.busy.then(() => this.take(offer));
  }

  private async take(offer: Offer): Promise<void> {
    if (this.isOver || offer.number < this.answered.number) return;
    let { peer } = this;
    try {
      // The connection was lost before the server had read it.
      if (offer.number === this.answered.number) return void await this.ask({ type: "answer", body: this.answered });
      if (offer.number < this.newest && !offer.isFirst) return;
      if (offer.isFirst) this.open();
      peer = this.peer;
      // Of a connection that is over: another one is under way.
      if (peer) await this.answer(peer, offer);
    } catch (thrown) {
      // It was closed meanwhile: as above.
      if (peer !== this.peer) return;
      // What it waited for is another offer by now.
      if (thrown instanceof Refused && thrown.reason === "outdated") return;
      if (thrown instanceof Refused) this.failed(thrown);
      else void this.begin();
    }
  }

  private async answer(peer: RTCPeerConnection, offer: Offer): Promise<void> {
    await peer.setRemoteDescription({ type: "offer", sdp: offer.offer });
    await peer.setLocalDescription();
    // Another one has been begun meanwhile.
    if (peer !== this.peer) return;
    this.answered = { number: offer.number, answer: peer.localDescription?.sdp ?? "" };
    const sections = new Map(peer.getTransceivers().map(one => [one.mid, one.receiver.track]));
    this.lines = offer.tracks.flatMap(({ mid, participant, track }) => {
      const media = sections.get(mid);
      return media ? [{ mid, participant, track, media }] : [];
    });
    this.changed();
    await this.ask({ type: "answer", body: this.answered });
  }

  private open(): void {
    this.close();
    this.peer = this.made();
    this.changed();
  }

  private close(): void {
    if (!this.peer && this.lines.length === 0) return;
    this.peer?.close();
    this.peer = null;
    this.lines = [];
    this.changed();
  }

  private tell(refusal: string | null): void {
    if (refusal === this.refusal) return;
    this.refusal = refusal;
    this.changed();
  }
}
