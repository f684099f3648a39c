import { judge, type Quality } from "./Quality";

/** Of `getStats`, as much of it as is shown to whoever looks into a fault. Source: Identifiers for WebRTC's Statistics API. */
export type Stat = {
  id: string; type: string; timestamp: number; kind?: string; mid?: string; rid?: string; trackIdentifier?: string; localId?: string;
  bytesSent?: number; bytesReceived?: number; packetsSent?: number; packetsReceived?: number; packetsLost?: number;
  /** Seconds. */
  jitter?: number; roundTripTime?: number; totalFreezesDuration?: number; currentRoundTripTime?: number;
  frameWidth?: number; frameHeight?: number; framesPerSecond?: number; qualityLimitationReason?: string;
  selectedCandidatePairId?: string; localCandidateId?: string; candidateType?: string; protocol?: string; relayProtocol?: string;
};

/** Of one track that is sent or comes, or of one size of it, between two looks. */
export type Vital = {
  id: string;
  of: Stat;
  isVideo: boolean;
  /** Bits a second. */
  bitrate: number | null;
  /** A share, 0 to 1. */
  loss: number | null;
  jitterMs: number | null;
  width: number | null;
  height: number | null;
  frames: number | null;
  /** What keeps the sender from sending more: `none`, `cpu`, `bandwidth`, `other`; null of what comes. */
  limit: string | null;
  quality: Quality | null;
};

export type Vitals = { tracks: readonly Vital[]; route: { way: string; roundTripMs: number | null } | null };

/** What goes one way, between two looks at the same connection; sound first. */
export function vitals(before: readonly Stat[], after: readonly Stat[]): Vitals {
  const tracks = after.filter(one => one.type === "outbound-rtp" || one.type === "inbound-rtp").map(one => vital(one, before, after));
  return { tracks: tracks.sort((a, b) => Number(a.isVideo) - Number(b.isVideo) || (a.id < b.id ? -1 : 1)), route: route(after) };
}

function vital(now: Stat, before: readonly Stat[], after: readonly Stat[]): Vital {
  const isSent = now.type === "outbound-rtp", last = before.find(one => one.id === now.id);
  // What became of what is sent the other end tells.
  const told = (all: readonly Stat[]) => all.find(one => one.type === "remote-inbound-rtp" && one.localId === now.id);
  const heard = isSent ? told(after) : now, heardLast = isSent ? told(before) : last;
  const bytes = (one: Stat) => (isSent ? one.bytesSent : one.bytesReceived) ?? 0, packets = (one: Stat) => (isSent ? one.packetsSent : one.packetsReceived) ?? 0;
  const seconds = last ? (now.timestamp - last.timestamp) / 1000 : 0;
  const count = (one: Stat, heard: Stat | undefined) => ({
    received: isSent ? packets(one) - (heard?.packetsLost ?? 0) : packets(one), lost: heard?.packetsLost ?? 0, frozen: one.totalFreezesDuration ?? 0,
    roundTrip: heard?.roundTripTime ?? null,
  });
  const isKnown = last !== undefined && seconds > 0 && heard !== undefined && heardLast !== undefined;
  const counts = isKnown ? { before: count(last, heardLast), after: count(now, heard) } : null;
  const gone = counts ? Math.max(0, counts.after.lost - counts.before.lost) : 0, came = counts ? counts.after.received - counts.before.received : 0;
  return {
    id: now.id, of: now, isVideo: now.kind === "video",
    bitrate: last && seconds > 0 ? Math.max(0, (bytes(now) - bytes(last)) * 8 / seconds) : null,
    loss: gone + came > 0 && came >= 0 ? gone / (gone + came) : null, jitterMs: heard?.jitter === undefined ? null : heard.jitter * 1000,
    width: now.frameWidth ?? null, height: now.frameHeight ?? null, frames: now.framesPerSecond ?? null,
    limit: isSent && now.kind === "video" ? now.qualityLimitationReason ?? null : null,
    quality: counts ? judge(counts.before, counts.after, seconds) : null,
  };
}

/** `host udp`, or `relay tls` where a relay is reached so. */
function route(all: readonly Stat[]): Vitals["route"] {
  const chosen = all.find(one => one.type === "transport")?.selectedCandidatePairId, pair = all.find(one => one.id === chosen);
  const own = all.find(one => one.id === pair?.localCandidateId);
  if (!pair || !own) return null;
  const roundTrip = pair.currentRoundTripTime;
  return { way: `${own.candidateType ?? ""} ${own.relayProtocol ?? own.protocol ?? ""}`.trim(), roundTripMs: roundTrip === undefined ? null : roundTrip * 1000 };
}
