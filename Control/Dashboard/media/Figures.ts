import { nothing, sum, type Count } from "../live/Quality";
import type { Line } from "./Subscriber";

/** Of `getStats`, as much of it as is read here. Source: Identifiers for WebRTC's Statistics API. */
type Report = {
  type: string; kind?: string; mid?: string; trackIdentifier?: string; packetsReceived?: number; packetsLost?: number; packetsSent?: number;
  totalFreezesDuration?: number; totalAudioEnergy?: number; totalSamplesDuration?: number; roundTripTime?: number; currentRoundTripTime?: number;
  nominated?: boolean;
};

const reports = async (peer: RTCPeerConnection): Promise<readonly Report[]> => [...(await peer.getStats()).values()] as Report[];
/** Whether it was counted of a line: by its track, where the browser says which, else by its section. */
export const ofLine = (line: Line) => (one: Pick<Report, "trackIdentifier" | "mid">) => one.trackIdentifier === line.media.id || (one.trackIdentifier === undefined && one.mid === line.mid);

/** What was heard of each participant, and what came of them, since the last time. */
export class Figures {
  private readonly energies = new Map<string, { energy: number; seconds: number }>();

  /** @returns how loud each participant's tracks are, 0 to 1, and what was counted of each. */
  async incoming(peer: RTCPeerConnection, lines: readonly Line[]): Promise<{ levels: Map<string, number>; counts: Map<string, Count> }> {
    const all = await reports(peer), wait = roundTrip(all), arriving = all.filter(one => one.type === "inbound-rtp");
    const levels = new Map<string, number>(), counts = new Map<string, Count>();
    for (const line of lines) {
      const report = arriving.find(ofLine(line));
      if (!report) continue;
      if (report.kind === "audio") levels.set(line.participant, Math.max(levels.get(line.participant) ?? 0, this.level(line, report)));
      const count = { received: report.packetsReceived ?? 0, lost: report.packetsLost ?? 0, frozen: report.totalFreezesDuration ?? 0, roundTrip: wait };
      counts.set(line.participant, sum(counts.get(line.participant) ?? nothing, count));
    }
    return { levels, counts };
  }

  /** The root of the mean square between two looks. */
  private level(line: Line, report: Report): number {
    const now = { energy: report.totalAudioEnergy ?? 0, seconds: report.totalSamplesDuration ?? 0 }, before = this.energies.get(line.media.id);
    this.energies.set(line.media.id, now);
    if (!before || now.seconds <= before.seconds || now.energy < before.energy) return 0;
    return Math.sqrt((now.energy - before.energy) / (now.seconds - before.seconds));
  }
}

/** What was counted of all that is sent, as the other end tells it. */
export async function outgoing(peer: RTCPeerConnection): Promise<Count> {
  const all = await reports(peer);
  const sent = all.filter(one => one.type === "outbound-rtp").reduce((count, one) => count + (one.packetsSent ?? 0), 0);
  const lost = all.filter(one => one.type === "remote-inbound-rtp").reduce((count, one) => count + Math.max(0, one.packetsLost ?? 0), 0);
  return { received: Math.max(0, sent - lost), lost, frozen: 0, roundTrip: roundTrip(all) };
}

function roundTrip(all: readonly Report[]): number | null {
  const pair = all.find(one => one.type === "candidate-pair" && one.nominated && one.currentRoundTripTime !== undefined);
  return pair?.currentRoundTripTime ?? null;
}
