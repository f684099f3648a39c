export type Kind = "camera" | "microphone" | "speaker";
export type Device = { id: string; label: string };

/** What somebody has chosen, kept by their browser: nothing of it is secret, and none of it leaves it. */
export type Choice = {
  camera: string;
  microphone: string;
  speaker: string;
  /** Whether they come in seen, and heard. */
  isSeen: boolean;
  isHeard: boolean;
};

export const standard: Choice = { camera: "", microphone: "", speaker: "", isSeen: true, isHeard: true };

/** What was kept, whatever it is by now. */
export function remembered(text: string | null): Choice {
  let kept: unknown;
  try {
    kept = JSON.parse(text ?? "{}");
  } catch {
    // It is somebody else's: as if nothing had been chosen.
  }
  const of = (kept !== null && typeof kept === "object" ? kept : {}) as Partial<Record<keyof Choice, unknown>>;
  const id = (value: unknown) => (typeof value === "string" && value.length <= 200 ? value : "");
  const flag = (value: unknown, otherwise: boolean) => (typeof value === "boolean" ? value : otherwise);
  return {
    camera: id(of.camera), microphone: id(of.microphone), speaker: id(of.speaker),
    isSeen: flag(of.isSeen, standard.isSeen), isHeard: flag(of.isHeard, standard.isHeard),
  };
}

/** The one that was chosen, where it is there; else none, which is the system's own choice. */
export const present = (chosen: string, devices: readonly Device[]): string => (devices.some(one => one.id === chosen) ? chosen : "");

/** Of what a browser lists, one kind: those with an id, which there is none of before it may be used. */
export function listed(all: readonly { kind: string; deviceId: string; label: string }[], kind: Kind): readonly Device[] {
  const wanted = { camera: "videoinput", microphone: "audioinput", speaker: "audiooutput" }[kind];
  return all.filter(one => one.kind === wanted && one.deviceId !== "").map(one => ({ id: one.deviceId, label: one.label }));
}

/** Why a camera, a microphone or a screen is not to be had. */
export type Obstacle = "insecure" | "unsupported" | "denied" | "system" | "dismissed" | "missing" | "busy" | "ended" | "unknown";

/** What a browser means by its refusal. Source: Media Capture and Streams, section 10.2; the texts are Chromium's, whose names are the same for all three. */
export function obstacle(thrown: { name?: string; message?: string }): Obstacle {
  const said = thrown.message ?? "";
  switch (thrown.name) {
    case "NotAllowedError": case "PermissionDeniedError":
      return /system/i.test(said) ? "system" : /dismissed/i.test(said) ? "dismissed" : "denied";
    case "NotFoundError": case "DevicesNotFoundError": case "OverconstrainedError": return "missing";
    case "NotReadableError": case "TrackStartError": case "AbortError": return "busy";
    case "SecurityError": return "insecure";
    case "TypeError": case "NotSupportedError": return "unsupported";
    default: return "unknown";
  }
}

/** What of a browser a meeting needs and this one lacks; null: nothing. @param place the window, or what stands for it. */
export function lacking(place: { isSecureContext?: boolean; RTCPeerConnection?: unknown; WebSocket?: unknown }): "insecure" | "unsupported" | null {
  if (place.isSecureContext === false) return "insecure";
  return place.RTCPeerConnection && place.WebSocket ? null : "unsupported";
}
