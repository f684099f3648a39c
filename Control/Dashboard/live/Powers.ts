import { kindOf, type MeetingKind, type MeetingRole, type Permission, type ToldRights } from "./Rights";
import type { Conditions, Media, Person } from "./Room";
import { sends } from "./Tiles";

// What the page offers somebody to do to others and to the room, as `MeetingRules` (Control/Meetings) decides it: whatever stands here, the server refuses what is not
// theirs.

const ranks: Readonly<Record<MeetingRole, number>> = { viewer: 1, guest: 2, participant: 3, co_host: 4, host: 5 };
/** The roles that a meeting of a kind has, the least first; nobody is made a host by right. */
const roles: Readonly<Record<MeetingKind, readonly MeetingRole[]>> = {
  video: ["guest", "participant", "co_host"], audio: ["guest", "participant", "co_host"],
  webinar: ["viewer", "guest", "participant", "co_host"], livestream: ["viewer", "participant", "co_host"],
};

/** What somebody does for themselves, and to the room. */
export type Powers = {
  /** Raise a hand. */
  hand: boolean;
  /** Has to, before they speak. */
  asks: boolean;
  read: boolean;
  /** To everybody, and to one; why not, where it is not theirs now. */
  write: boolean;
  whisper: boolean;
  silence: "off" | "muted" | "role" | null;
  /** Pin messages and take away those of others; lock; turn the chat off. */
  moderate: boolean;
  /** Let others speak, and take hands down. */
  stage: boolean;
  spotlight: boolean;
  /** Switch everybody's microphones off. */
  hush: boolean;
};

export function powers(told: ToldRights | null, { hasChat }: Conditions): Powers {
  const may = (permission: Permission) => told?.allowed.includes(permission) ?? false;
  const sending = told ? [told.audio, told.video, told.screenShare] : [];
  const silence = !hasChat ? "off" : told?.isChatMuted ? "muted" : may("chat_public_text") || may("chat_private_text") ? null : "role";
  return {
    hand: sending.some(one => one !== "denied"), asks: told?.audio === "on_request", read: may("chat_public_receive") || may("chat_private_receive"),
    write: silence === null && may("chat_public_text"), whisper: silence === null && may("chat_private_text"), silence,
    moderate: told !== null && ranks[told.role] >= ranks.co_host, stage: may("accept_production"), spotlight: may("spotlight"), hush: may("disable_audio"),
  };
}

/** What somebody does to one who is there, themselves or another. */
export type Deeds = {
  /** What of theirs is switched off. */
  stop: readonly Media[];
  /** Let speak and be seen, and take that back: their role needs leave for it. */
  stage: boolean;
  lower: boolean;
  spotlight: boolean;
  whisper: boolean;
  rename: boolean;
  /** That they may be given: all but the one that they have. */
  roles: readonly MeetingRole[];
  /** Take the word from them in the chat. */
  silence: boolean;
  remove: boolean;
};

const stopping: Readonly<Record<Media, Permission>> = { audio: "disable_audio", video: "disable_video", screen: "disable_screen_share" };

export function deeds(told: ToldRights | null, conditions: Conditions, me: string, person: Person): Deeds {
  if (!told) return { stop: [], stage: false, lower: false, spotlight: false, whisper: false, rename: false, roles: [], silence: false, remove: false };
  const may = (permission: Permission) => told.allowed.includes(permission);
  const isOther = person.id !== me, mine = ranks[told.role], theirs = ranks[person.meetingRole], isAbove = isOther && mine > theirs, own = powers(told, conditions);
  const media = (["audio", "video", "screen"] as const).filter(one => sendsAny(person, one));
  return {
    stop: isOther && mine >= theirs ? media.filter(one => may(stopping[one])) : [],
    stage: isOther && own.stage && needsLeave(told, person), lower: isOther && own.stage && isUp(person), spotlight: own.spotlight,
    whisper: isOther && own.whisper && person.meetingRole !== "viewer", rename: may("rename") && (!isOther || isAbove),
    roles: isAbove && may("change_permissions") ? roles[kindOf(told.preset)].filter(role => ranks[role] <= mine && role !== person.meetingRole) : [],
    silence: isAbove && own.moderate && person.meetingRole !== "viewer", remove: isAbove && may("kick"),
  };
}

const sendsAny = (person: Person, media: Media): boolean => ({
  audio: sends(person, "microphone") || sends(person, "screen-sound"), video: sends(person, "camera") || sends(person, "other"), screen: sends(person, "screen"),
})[media];

/** Who is on a stage by a host's leave alone (MTG-32, MTG-33). */
function needsLeave({ preset }: ToldRights, { meetingRole }: Person): boolean {
  const kind = kindOf(preset);
  return (kind === "webinar" && (meetingRole === "participant" || meetingRole === "guest")) || (kind === "livestream" && meetingRole === "participant");
}

export const isUp = (person: Person): boolean => typeof person.hand === "number";
/** Whose hands are up, the first one first. */
export const hands = (people: readonly Person[]): readonly Person[] => people.filter(isUp).sort((a, b) => (a.hand ?? 0) - (b.hand ?? 0));

/** Those who are large for all, with one of them more or less. */
export function spotlit(now: readonly string[], id: string): readonly string[] {
  return now.includes(id) ? now.filter(one => one !== id) : [...now, id];
}
