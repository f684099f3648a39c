import type { MeetingEntry } from "../api/Schema";

export type PresetName = MeetingEntry["preset"];
/** What the page offers somebody; the server decides, whatever is offered. */
export type Rights = { microphone: boolean; camera: boolean; screen: boolean; pin: boolean; people: boolean };

/** By the presets that the server has (`GET /meeting-presets`), which who has not signed in cannot read. Who has to ask before they send has nothing to press yet. */
export function rights(preset: PresetName): Rights {
  const [type, role] = preset.split("_") as ["video" | "audio" | "webinar" | "livestream", "host" | "participant" | "guest" | "viewer"];
  const isHost = role === "host", isStage = type === "webinar" || type === "livestream";
  const speaks = isHost || (!isStage && role !== "viewer");
  return {
    microphone: speaks, camera: speaks && type !== "audio", screen: isHost || (type === "video" && role === "participant"),
    pin: isHost || role === "participant", people: role !== "viewer",
  };
}

/** Nobody has a camera there. */
export const isAudioOnly = (preset: PresetName): boolean => preset.startsWith("audio_");
