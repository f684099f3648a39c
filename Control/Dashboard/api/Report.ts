import type { Access } from "./Access";
import { Fault } from "./Fault";
import { operations, type PageErrorRequest } from "./Schema";
import { within } from "./within";

/** What nobody has to do anything about: whoever asked has left, or waited too long. */
const left = new Set(["AbortError", "TimeoutError"]);

/** Tells the server what failed in this page: a few things, each once, and whether it arrives is nobody's concern. */
export class Reports {
  static readonly limit = 10;
  /** Steps that are told with it: what was before says why. */
  static readonly steps = 20;
  private readonly told = new Set<string>();
  private readonly trail: { at: number; text: string }[] = [];

  constructor(private readonly access: Access) {}

  /** Hears of everything that nobody else takes care of. */
  begin(): void {
    // Without an error it is a browser's remark.
    addEventListener("error", event => { if (event.error) this.tell("error", event.error); });
    addEventListener("unhandledrejection", event => this.tell("rejection", event.reason));
  }

  /** Something happened that is no failure; nobody is told of it unless one comes. */
  note(text: string): void {
    if (this.trail.at(-1)?.text === text) return;
    this.trail.push({ at: Date.now(), text: text.slice(0, 200) });
    if (this.trail.length > Reports.steps) this.trail.shift();
  }

  tell(kind: PageErrorRequest["kind"], thrown: unknown): void {
    // What a request ended with is shown where it was asked for.
    if (thrown instanceof Fault && thrown.kind !== "program") return;
    const { name, message, stack } = thrown instanceof Error ? thrown : { name: "Error", message: String(thrown), stack: undefined };
    const key = `${name} ${message} ${stack ?? ""}`;
    if (left.has(name) || this.told.has(key) || this.told.size >= Reports.limit) return;
    this.told.add(key);
    const now = Date.now(), trail = this.trail.map(({ at, text }) => ({ msAgo: Math.min(Math.max(0, now - at), 86_400_000), text }));
    void this.send({
      kind, name: (name || "Error").slice(0, 100), message: message.slice(0, 1000), path: location.pathname.slice(0, 500), ...(stack !== undefined && { stack: stack.slice(0, 8000) }),
      ...(trail.length > 0 && { trail }),
    });
    this.note(`${name}: ${message}`);
  }

  private async send(report: PageErrorRequest): Promise<void> {
    const [method, url] = operations.postErrors;
    const headers: Record<string, string> = { "Content-Type": "application/json" };
    if (this.access.token !== null) headers.Authorization = `Bearer ${this.access.token}`;
    try {
      // It goes out even where the page is left meanwhile.
      await fetch(url, { method, headers, body: JSON.stringify(report), keepalive: true, signal: within(10_000) });
    } catch {
      // A server that is away is told nothing: what is told of that would not arrive either.
    }
  }
}
