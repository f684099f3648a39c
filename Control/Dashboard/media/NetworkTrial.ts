import { within } from "../api/within";
import { wayOf, ways, type Outcome, type Outcomes, type Way } from "../live/NetworkVerdict";
import { peerServers, type ICEServer } from "../live/Peers";

type Message =
  | { type: "ways"; body: { hasRooms: boolean; iceServers: ICEServer[] } }
  | { type: "answer"; body: { answer: string } }
  | { type: "refused"; body: { text: string } };

/** In milliseconds: a way that takes longer is none that anybody would want to meet by. */
const patience = 10_000;

/** Tries what the network around this page lets through, as a meeting would use it (PROTOCOL.md, a page that tries the network). */
export class NetworkTrial {
  view: Outcomes = all("running");
  private readonly watchers = new Set<() => void>();
  private socket: WebSocket | null = null;
  private peers: RTCPeerConnection[] = [];
  /** Of the trial that runs: what an earlier one still says is nobody's. */
  private run = 0;

  watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  start(): void {
    this.stop();
    this.view = all("running");
    this.tell();
    const run = ++this.run, note = (way: Way, outcome: Outcome) => { if (run === this.run) this.note(way, outcome); };
    // Whatever it answers has come through.
    fetch("/health", { cache: "no-store", signal: within(patience) }).then(() => note("https", "passes"), () => note("https", "blocked"));
    this.dial(note);
  }

  stop(): void {
    this.run++;
    this.hangUp();
  }

  private hangUp(): void {
    if (this.socket) this.socket.onmessage = this.socket.onclose = null;
    this.socket?.close();
    this.socket = null;
    for (const peer of this.peers) peer.close();
    this.peers = [];
  }

  private dial(note: (way: Way, outcome: Outcome) => void): void {
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}/api/v1/network-test`);
    let answered: (sdp: string | null) => void = () => undefined;
    const answer = new Promise<string | null>(done => { answered = done; });
    // Nothing more comes: what was not decided by then was not let through, or was not tried for want of what it takes.
    const silent = () => {
      clearTimeout(timer);
      answered(null);
      if (this.socket !== socket || this.view.wss !== "running") return;
      for (const way of ways) if (way !== "https") note(way, way === "wss" ? "blocked" : "absent");
    };
    const timer = setTimeout(silent, patience);
    socket.onclose = silent;
    socket.onmessage = event => {
      const message = JSON.parse(String(event.data)) as Message;
      switch (message.type) {
        case "ways":
          clearTimeout(timer);
          note("wss", "passes");
          return this.tryAll(message.body, offer => socket.send(JSON.stringify({ offer })), answer, note);
        case "answer": return answered(message.body.answer);
        case "refused": return answered(null);
      }
    };
    this.socket = socket;
  }

  private tryAll(
    { hasRooms, iceServers }: { hasRooms: boolean; iceServers: readonly ICEServer[] }, send: (offer: string) => void, answer: Promise<string | null>,
    note: (way: Way, outcome: Outcome) => void,
  ): void {
    for (const way of ["turn-udp", "turn-tcp", "turn-tls"] as const) {
      const servers = iceServers.filter(one => wayOf(one.url) === way);
      if (servers.length === 0 || !hasRooms) note(way, "absent");
      else void this.relayed(servers).then(isThrough => note(way, isThrough ? "passes" : "blocked"));
    }
    if (!hasRooms) return note("udp", "absent");
    void this.straight(send, answer).then(outcome => note("udp", outcome));
  }

  /** To a worker of rooms, without a detour: the handshake of a meeting's sound and pictures, to its end. */
  private async straight(send: (offer: string) => void, answer: Promise<string | null>): Promise<Outcome> {
    try {
      const peer = this.made({});
      peer.addTransceiver("audio", { direction: "sendonly" });
      await peer.setLocalDescription();
      send(peer.localDescription?.sdp ?? "");
      const sdp = await answer;
      // The server has no place for it at the moment: that says nothing of the network.
      if (sdp === null) return "absent";
      await peer.setRemoteDescription({ type: "answer", sdp });
      return await settled(peer, "connectionstatechange", () => decided[peer.connectionState] ?? null) ? "passes" : "blocked";
    } catch {
      // Closed with the page, or a browser that is not able to: what it lacks is said elsewhere.
      return "blocked";
    }
  }

  /** Whether one of these servers gives an address: it answers, takes the credentials, and what it relays goes to the workers. */
  private async relayed(servers: readonly ICEServer[]): Promise<boolean> {
    try {
      const peer = this.made({ iceServers: peerServers(servers), iceTransportPolicy: "relay" });
      let hasAddress = false;
      peer.onicecandidate = ({ candidate }) => { hasAddress ||= candidate?.type === "relay" || / typ relay /.test(candidate?.candidate ?? ""); };
      peer.createDataChannel("");
      const found = settled(peer, "icecandidate", () => (hasAddress ? true : peer.iceGatheringState === "complete" ? false : null));
      await peer.setLocalDescription();
      return await found;
    } catch {
      // As above.
      return false;
    }
  }

  private made(configuration: RTCConfiguration): RTCPeerConnection {
    const peer = new RTCPeerConnection(configuration);
    this.peers.push(peer);
    return peer;
  }

  private note(way: Way, outcome: Outcome): void {
    this.view = { ...this.view, [way]: outcome };
    // Nothing is left open for longer than it takes; the server's half minute is the bound of it.
    if (ways.every(one => this.view[one] !== "running")) this.hangUp();
    this.tell();
  }

  private tell(): void { for (const watcher of [...this.watchers]) watcher(); }
}

const all = (outcome: Outcome): Outcomes => Object.fromEntries(ways.map(way => [way, outcome])) as Outcomes;
const decided: Partial<Record<RTCPeerConnectionState, boolean>> = { connected: true, failed: false, closed: false };

/** Waits until something can be said, ten seconds at most; then it is a no. */
function settled(peer: RTCPeerConnection, event: string, look: () => boolean | null): Promise<boolean> {
  return new Promise(done => {
    const end = (result: boolean) => {
      clearTimeout(timer);
      peer.removeEventListener(event, ask);
      done(result);
    };
    const ask = () => {
      const result = look();
      if (result !== null) end(result);
    };
    const timer = setTimeout(() => end(false), patience);
    peer.addEventListener(event, ask);
    ask();
  });
}
