import { ladder } from "../live/Ladder";
import { Redial } from "../live/Redial";
import { Refused, type Order, type Source } from "../live/Room";
import { close, settled } from "./Closing";

export type Ask = (order: Order) => Promise<string>;
export type Sent = Exclude<Source, "other">;

/** A screen is read, and its letters have to be sharp (ROM-14: 15 pictures a second). */
const screenEncoding = { maxBitrate: 2_500_000, maxFramerate: 15 };

function encodings(source: Sent, track: MediaStreamTrack): RTCRtpEncodingParameters[] {
  if (source === "screen") return [{ ...screenEncoding }];
  return source === "camera" ? ladder(track.getSettings().height ?? 720).map(layer => ({ ...layer })) : [];
}

/**
 * What somebody sends into a room: one PeerConnection, which this page offers. What is wanted is agreed on by one exchange after the other.
 *
 * The microphone has the first section, which is never stopped: the transport of the whole bundle is its (RFC 9143 section 7.2). It is muted by its direction.
 * Pictures have sections of their own, which are stopped with them.
 */
export class Publisher {
  peer: RTCPeerConnection | null = null;
  /** Why the server did not take it last; null: it did, or was not asked. */
  refusal: string | null = null;
  private readonly wanted = new Map<Sent, MediaStreamTrack>();
  private readonly sections = new Map<Sent, RTCRtpTransceiver>();
  private agreed: ReadonlySet<Sent> = new Set();
  private readonly redial = new Redial();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isBusy = false;
  private isRestarting = false;
  private isOver = false;

  /**
   * @param changed there is another `peer`, or another `refusal`.
   * @param forbade nothing is sent any more, as something of it is not one's own to send.
   */
  constructor(
    private readonly ask: Ask, private readonly made: () => RTCPeerConnection, private readonly changed: () => void,
    private readonly forbade: () => void = () => undefined,
  ) {}

  /** Whether something is to be sent, whatever has become of it. */
  wants(source: Sent): boolean { return this.wanted.has(source); }

  /** From now on this is sent; null: nothing. */
  send(source: Sent, track: MediaStreamTrack | null): void {
    if ((this.wanted.get(source) ?? null) === track) return;
    if (track) this.wanted.set(source, track); else this.wanted.delete(source);
    this.again();
  }

  /** Somebody has their seat again. @param goesOn whether the connection is there still. */
  entered(goesOn: boolean): void {
    if (!goesOn) this.close();
    this.again();
  }

  /** The connection is over; another one is made. */
  renew(): void {
    this.close();
    this.again();
  }

  /** Nothing is one's own to send any more: the server has ended the connection, or does. */
  silence(): void {
    this.wanted.clear();
    this.renew();
  }

  /** Another way for the same connection. */
  restart(): void {
    if (!this.peer) return;
    this.isRestarting = true;
    this.again();
  }

  stop(): void {
    this.isOver = true;
    clearTimeout(this.timer);
    this.wanted.clear();
    this.close();
  }

  private again(): void {
    clearTimeout(this.timer);
    void this.settle();
  }

  private async settle(): Promise<void> {
    // Whoever is at it sees what has changed meanwhile.
    if (this.isBusy) return;
    this.isBusy = true;
    try {
      while (!this.isOver && this.needsExchange) await this.exchange();
      this.redial.answered();
      this.tell(null);
    } catch (thrown) {
      this.failed(thrown);
    }
    this.isBusy = false;
  }

  private get needsExchange(): boolean {
    if (this.isRestarting && this.peer) return true;
    if (this.agreed.size !== this.wanted.size) return true;
    return [...this.wanted].some(([source, track]) => !this.agreed.has(source) || this.sections.get(source)?.sender.track !== track);
  }

  private async exchange(): Promise<void> {
    const isFirst = this.peer === null, isRestart = this.isRestarting && !isFirst;
    this.isRestarting = false;
    const peer = this.peer ?? this.made();
    this.peer = peer;
    if (isFirst) this.changed();
    let isOther = false;
    const arranged = await settled(peer, this.arrange(peer).then(one => { isOther = one; }));
    // It is over meanwhile, and so are its sections.
    if (!arranged || peer !== this.peer) return this.sections.clear();
    if (!isOther && !isFirst && !isRestart) return;
    if (isRestart) peer.restartIce();
    // As they are, and not as they are wanted by now.
    const sent = [...this.sections].filter(([, section]) => section.direction === "sendonly");
    if (!await settled(peer, peer.setLocalDescription())) return;
    const tracks = sent.flatMap(([source, { mid }]) => (mid === null ? [] : [{ source, mid }]));
    const answer = await this.ask({ type: isFirst ? "publish" : "renegotiate", body: { offer: peer.localDescription?.sdp ?? "", tracks } });
    if (peer !== this.peer || !await settled(peer, peer.setRemoteDescription({ type: "answer", sdp: answer }))) return;
    this.agreed = new Set(sent.map(([source]) => source));
  }

  /** Has the connection's sections as they are wanted. @returns whether that has to be agreed on. */
  private async arrange(peer: RTCPeerConnection): Promise<boolean> {
    let isOther = await this.arrangeVoice(peer);
    for (const source of ["camera", "screen", "screen-sound"] as const) {
      const track = this.wanted.get(source), section = this.sections.get(source);
      if (track && section) {
        if (section.sender.track !== track) await section.sender.replaceTrack(track);
      } else if (track) {
        const parameters = encodings(source, track);
        this.sections.set(source, peer.addTransceiver(track, { direction: "sendonly", ...(parameters.length > 0 && { sendEncodings: parameters }) }));
        isOther = true;
      } else if (section) {
        section.stop();
        this.sections.delete(source);
        isOther = true;
      }
    }
    return isOther;
  }

  private async arrangeVoice(peer: RTCPeerConnection): Promise<boolean> {
    const track = this.wanted.get("microphone"), direction = track ? "sendonly" : "inactive";
    const section = this.sections.get("microphone");
    if (!section) {
      this.sections.set("microphone", peer.addTransceiver(track ?? "audio", { direction }));
      return true;
    }
    if (track && section.sender.track !== track) await section.sender.replaceTrack(track);
    if (section.direction === direction) return false;
    section.direction = direction;
    return true;
  }

  private failed(thrown: unknown): void {
    // Half an exchange is none: the next one begins with a new connection.
    this.close();
    if (this.isOver) return;
    const reason = thrown instanceof Refused ? thrown.reason : "failed";
    // Whoever has no connection to the server asks again once they have.
    if (reason === "lost") return;
    // Nor is it of any matter by now to whoever wants to send nothing.
    if (this.wanted.size === 0) return this.tell(null);
    if (reason === "forbidden") {
      this.wanted.clear();
      this.forbade();
    } else this.timer = setTimeout(() => void this.settle(), this.redial.failed(Math.random()));
    this.tell(reason);
  }

  private close(): void {
    this.isRestarting = false;
    this.sections.clear();
    this.agreed = new Set();
    if (!this.peer) return;
    close(this.peer);
    this.peer = null;
    this.changed();
  }

  private tell(refusal: string | null): void {
    if (refusal === this.refusal) return;
    this.refusal = refusal;
    this.changed();
  }
}
