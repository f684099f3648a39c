import type { Broadcast } from "../api/Schema";
import type { Telemetry } from "./Telemetry";

/** How far back a chart shows, in milliseconds. */
export const span = 60_000;
/** Five a second for a minute, and some that came in a burst. */
const room = 400;

/** A minute of one figure: a ring of times and values, NaN where it was not known. */
export class Series {
  private readonly times = new Float64Array(room);
  private readonly values = new Float64Array(room);
  private next = 0;
  private count = 0;

  note(time: number, value: number | null | undefined): void {
    this.times[this.next] = time;
    this.values[this.next] = value ?? NaN;
    this.next = (this.next + 1) % room;
    this.count = Math.min(this.count + 1, room);
  }

  /** From the oldest that lies within the span. */
  each(now: number, visit: (time: number, value: number) => void): void {
    for (let index = this.count; index > 0; index--) {
      const at = (this.next - index + room) % room;
      if (this.times[at]! >= now - span) visit(this.times[at]!, this.values[at]!);
    }
  }

  get last(): number { return this.count === 0 ? NaN : this.values[(this.next - 1 + room) % room]!; }
}

/** The last minute of what is charted, by name: `ID/link/wwan0/sent`, `ID/bond/capacity`, `ID/received`, `ID/path/1.2.3.4:5/rate`. */
export class History {
  private readonly series = new Map<string, Series>();

  one(name: string): Series {
    const found = this.series.get(name) ?? new Series();
    this.series.set(name, found);
    return found;
  }

  note(topic: string, body: unknown, now: number): void {
    if (topic === "forget") return this.series.clear();
    if (body === null) return;
    const [kind, id] = topic.split("/") as [string, string];
    if (kind === "telemetry") this.noteTelemetry(id, body as Telemetry, now);
    if (kind === "broadcast") this.noteBroadcast(body as Broadcast, now);
  }

  private noteTelemetry(id: string, sample: Telemetry, now: number): void {
    const put = (name: string, value: number | null | undefined) => this.one(`${id}/${name}`).note(now, value);
    let sent = 0;
    for (const link of sample.links) {
      sent += link.sent;
      put(`link/${link.name}/sent`, link.sent);
      put(`link/${link.name}/capacity`, link.bond?.capacity);
      put(`link/${link.name}/rtt`, link.rttMs);
      put(`link/${link.name}/loss`, link.loss == null ? null : link.loss * 100);
    }
    put("bond/sent", sent);
    put("bond/capacity", sample.bond?.capacity);
  }

  private noteBroadcast(broadcast: Broadcast, now: number): void {
    if (broadcast.state === "ended") return this.forget(broadcast.id);
    if (!broadcast.ingest) return;
    this.one(`${broadcast.id}/received`).note(now, broadcast.ingest.bitrate);
    for (const path of broadcast.ingest.paths) this.one(`${broadcast.id}/path/${path.source}/rate`).note(now, path.bitrate);
  }

  private forget(id: string): void {
    for (const name of this.series.keys()) if (name.startsWith(`${id}/`)) this.series.delete(name);
  }
}
