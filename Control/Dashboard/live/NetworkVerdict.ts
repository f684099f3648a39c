/** What a meeting needs of the network, each tried by itself. */
export type Way = "https" | "wss" | "udp" | "turn-udp" | "turn-tcp" | "turn-tls";
/** `absent`: this server has none of it, so there is nothing to try. */
export type Outcome = "running" | "passes" | "blocked" | "absent";
export type Outcomes = Readonly<Record<Way, Outcome>>;

export const ways: readonly Way[] = ["https", "wss", "udp", "turn-udp", "turn-tcp", "turn-tls"];
const relays: readonly Way[] = ["turn-udp", "turn-tcp", "turn-tls"];

/**
 * What it comes to for a guest: `good` by the straight way; `relayed` by a detour; `cut` where nothing of sound and pictures goes through, though there are
 * detours, and `bare` where there are none; `mute` where not even the page's own connection does; `away` where the server does not answer; `roomless` where
 * it has no rooms.
 */
export type Verdict = "running" | "good" | "relayed" | "cut" | "bare" | "mute" | "away" | "roomless";

export function verdict(of: Outcomes): Verdict {
  // What is known to be well does not wait for the rest.
  if (of.udp === "passes" && of.wss === "passes") return "good";
  if (ways.some(way => of[way] === "running")) return "running";
  if (of.wss !== "passes") return of.https === "passes" ? "mute" : "away";
  if (of.udp === "absent") return "roomless";
  if (relays.some(way => of[way] === "passes")) return "relayed";
  return relays.some(way => of[way] === "blocked") ? "cut" : "bare";
}

/** By which way a server's address is reached; null for what relays nothing. Source: RFC 7065 section 3.1. */
export function wayOf(url: string): Way | null {
  if (url.startsWith("turns:")) return "turn-tls";
  if (!url.startsWith("turn:")) return null;
  return url.endsWith("?transport=tcp") ? "turn-tcp" : "turn-udp";
}
