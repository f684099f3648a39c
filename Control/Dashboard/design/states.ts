import type { Broadcast, OutputReport, RehearsalReport } from "../api/Schema";
import type { LinkSample } from "../live/Telemetry";
import type { Tone } from "./Badge";

/** How a state looks. */
export const broadcastTone: Record<Broadcast["state"], Tone> =
  { starting: "none", live: "live", degraded: "warn", interrupted: "bad", stopping: "none", ended: "none" };
export const outputTone: Record<OutputReport["state"], Tone> = { connecting: "none", connected: "good", retrying: "warn", failed: "bad" };
export const linkTone: Record<LinkSample["state"] | "up" | "unaddressed" | "down", Tone> =
  { live: "good", suspect: "warn", dead: "bad", connecting: "none", unused: "none", up: "good", unaddressed: "warn", down: "bad" };
export const verdictTone: Record<RehearsalReport["verdict"], Tone> = { ready: "good", warnings: "warn", notReady: "bad", inconclusive: "none" };
