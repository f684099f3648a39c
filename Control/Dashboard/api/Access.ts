import { Fault } from "./Fault";
import type { Session, User } from "./Schema";
import { within } from "./within";

export type Action = Session["may"][number];

/** Who is signed in: unknown until the cookie was tried, `expired` where somebody was and is asked to sign in again. */
export type AccessState =
  | { is: "unknown" }
  | { is: "out" }
  | { is: "in" | "expired"; session: Session };

/** The access token, in memory only, and its renewal: once for however many callers need it. */
export class Access {
  private current: AccessState = { is: "unknown" };
  private renewing: Promise<boolean> | null = null;
  private readonly watchers = new Set<() => void>();

  get state(): AccessState { return this.current; }
  get token(): string | null { return this.current.is === "in" ? this.current.session.accessToken : null; }

  watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  enter(session: Session): void { this.set({ is: "in", session }); }

  /** What whoever is signed in is by now. */
  know({ displayName, email, avatar }: User): void {
    const { current } = this;
    if (current.is === "in" || current.is === "expired") this.set({ ...current, session: { ...current.session, user: { ...current.session.user, displayName, email, avatar } } });
  }

  leave(): void { this.set({ is: "out" }); }

  /**
   * Asks for a new token with the cookie.
   * @returns whether somebody is signed in. Throws a `Fault` where the server cannot say: that signs nobody out.
   */
  renew(): Promise<boolean> {
    this.renewing ??= this.ask().finally(() => { this.renewing = null; });
    return this.renewing;
  }

  private async ask(): Promise<boolean> {
    let answer: Response;
    try {
      // The token in the cookie is used up by the question: who does not wait for the answer has none, and is taken for a thief.
      answer = await fetch("/api/v1/auth/refresh", { method: "POST", signal: within(60_000), keepalive: true });
    } catch (cause) {
      throw Fault.unreachable(cause);
    }
    if (answer.ok) {
      const session = (await answer.json()) as Session;
      const held = this.current.is === "in" || this.current.is === "expired" ? this.current.session : null;
      // Somebody else signed in, in another tab of this browser: nothing that was begun here is theirs.
      if (held !== null && held.user.id !== session.user.id) {
        location.reload();
        return false;
      }
      this.enter(session);
      return true;
    }
    const fault = await Fault.of(answer);
    if (answer.status >= 500 || answer.status === 429) throw fault;
    this.set(this.current.is === "in" || this.current.is === "expired" ? { is: "expired", session: this.current.session } : { is: "out" });
    return false;
  }

  private set(state: AccessState): void {
    this.current = state;
    for (const watcher of [...this.watchers]) watcher();
  }
}
