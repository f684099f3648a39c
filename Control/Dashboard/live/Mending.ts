import { Redial } from "./Redial";

export type Health = "new" | "connecting" | "connected" | "disconnected" | "failed" | "closed";
/** `restart`: new credentials for the same connection (RFC 8445 section 9); `renew`: another connection. */
export type Remedy = "restart" | "renew";

/** In milliseconds: so long one waits for a connection that is silent, and for one that is being made. */
const silence = 1500, making = 10_000;

/** What is to be done for one of the two PeerConnections, by how it is. Holds no clock. */
export class Mending {
  private readonly redial = new Redial();
  private state: Health = "new";
  private since = 0;
  private isRestarted = false;
  private notBefore = 0;

  /** @param restarts whether this side may restart ICE: whoever offers. */
  constructor(private readonly restarts: boolean) {}

  /** Another connection is being made. */
  began(now: number): void { [this.state, this.since, this.isRestarted] = ["new", now, false]; }

  /** @param now in milliseconds. @param jitter 0 up to 1, drawn by the caller. */
  look(state: Health, now: number, jitter: number): Remedy | null {
    if (state !== this.state) [this.state, this.since] = [state, now];
    const lasts = now - this.since;
    switch (state) {
      case "connected":
        this.isRestarted = false;
        // It holds: the next one that is lost is made again at once.
        if (lasts > making) this.redial.answered();
        return null;
      case "new": case "connecting": return lasts >= making ? this.renew(now, jitter) : null;
      case "disconnected": return lasts >= silence ? this.help(now, jitter) : null;
      case "failed": return this.help(now, jitter);
      // Whoever closed it makes another one.
      case "closed": return null;
    }
  }

  /** The network is another one: what is lost by that is not waited for. */
  moved(state: Health, now: number, jitter: number): Remedy | null {
    if (this.restarts && !this.isRestarted && (state === "connected" || state === "disconnected")) return this.restart(now);
    return state === "disconnected" || state === "failed" ? this.help(now, jitter) : null;
  }

  private help(now: number, jitter: number): Remedy | null {
    if (this.restarts && !this.isRestarted) return this.restart(now);
    return this.renew(now, jitter);
  }

  private restart(now: number): Remedy {
    [this.isRestarted, this.since] = [true, now];
    // A restart is given the time to help.
    this.notBefore = now + 2 * silence;
    return "restart";
  }

  private renew(now: number, jitter: number): Remedy | null {
    if (now < this.notBefore) return null;
    this.notBefore = now + this.redial.failed(jitter);
    return "renew";
  }
}
