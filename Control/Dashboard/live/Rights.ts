import type { MeetingEntry, MeetingPermissions, MeetingPreset } from "../api/Schema";

export type PresetName = MeetingEntry["preset"];
export type MeetingRole = MeetingPreset["role"];
export type Permission = MeetingPermissions["allowed"][number];
/** What the page offers somebody; the server decides, whatever is offered. */
export type Rights = { microphone: boolean; camera: boolean; screen: boolean; pin: boolean; people: boolean };

/** What somebody who is in may do by now, as the server tells it to them alone. */
export type ToldRights = {
  role: MeetingRole; preset: PresetName;
  audio: MeetingPermissions["audio"]; video: MeetingPermissions["video"]; screenShare: MeetingPermissions["screenShare"];
  allowed: readonly Permission[];
  /** A host has taken the word from them. */
  isChatMuted: boolean;
};

export type MeetingKind = "video" | "audio" | "webinar" | "livestream";
export const kindOf = (preset: PresetName): MeetingKind => preset.split("_")[0] as MeetingKind;

/** Before one is in, by the presets that the server has (`GET /meeting-presets`), which who has not signed in cannot read. */
export function rights(preset: PresetName): Rights {
  const [type, role] = preset.split("_") as [MeetingKind, "host" | "participant" | "guest" | "viewer"];
  const isHost = role === "host", isStage = type === "webinar" || type === "livestream";
  const speaks = isHost || (!isStage && role !== "viewer");
  return {
    microphone: speaks, camera: speaks && type !== "audio", screen: isHost || (type === "video" && role === "participant"),
    pin: isHost || role === "participant", people: role !== "viewer",
  };
}

/** Once one is in: what needs a host's leave is offered from when it is given. */
export const rightsOf = ({ audio, video, screenShare, allowed }: ToldRights): Rights => ({
  microphone: audio === "allowed", camera: video === "allowed", screen: screenShare === "allowed", pin: allowed.includes("pin"), people: allowed.includes("see_participants"),
});

/** Nobody has a camera there. */
export const isAudioOnly = (preset: PresetName): boolean => preset.startsWith("audio_");
