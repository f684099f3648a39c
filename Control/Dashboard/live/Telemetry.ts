/** What a board tells of itself five times a second: `AgentTelemetry` of Common/Wire. */
export type Telemetry = {
  atMs: number;
  links: LinkSample[];
  pipeline?: {
    produced: number; framesTotal: number; restartsTotal: number; droppedPackets: number;
    frames?: { made: number; input: number; dropped: number } | null;
    /** dBFS of each channel; nothing where there is no sound. */
    peak?: number[] | null;
    rms?: number[] | null;
    alarms?: string[] | null;
  } | null;
  modems?: Modem[] | null;
  bond?: { offeredPackets: number; deliveredPackets: number; lostPackets: number; capacity: number } | null;
  usage?: Usage[] | null;
};

export type LinkSample = {
  name: string;
  state: "live" | "suspect" | "dead" | "connecting" | "unused";
  reason?: string | null;
  sent: number;
  rttMs?: number | null;
  /** 0 to 1. */
  loss?: number | null;
  weight: number;
  retransmittedPackets: number;
  bond?: { lostPackets: number; queueMs: number; capacity: number } | null;
};

export type Modem = {
  id: string;
  link?: string | null;
  model: string;
  state: "starting" | "failed" | "locked" | "disabled" | "searching" | "registered" | "connecting" | "connected";
  reason?: string | null;
  sim: "ready" | "pin" | "puk" | "blocked" | "missing" | "failed" | "unknown";
  registration?: "idle" | "searching" | "home" | "roaming" | "denied" | "limited" | null;
  network?: string | null;
  technology?: string | null;
  band?: string | null;
  signalPercent?: number | null;
  rssiDbm?: number | null;
  rsrpDbm?: number | null;
  rsrqDb?: number | null;
  sinrDb?: number | null;
  position?: { latitude: number; longitude: number } | null;
};

export type Usage = {
  link: string;
  since?: string | null;
  sentBytes: number;
  receivedBytes: number;
  capBytes?: number | null;
  state: "within" | "near" | "spent";
};
