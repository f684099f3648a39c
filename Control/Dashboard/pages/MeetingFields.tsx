import type { MeetingOptions, MeetingSettings } from "../api/Schema";
import { SelectField, TextField } from "../design/Field";
import { useWords } from "../text/Text";

export type Setting = keyof MeetingSettings;

/** What a meeting decides for itself, as far as its organisation leaves it to it. */
export const ofMeetings: readonly Setting[] = ["guestAccess", "waitingRoom", "chat", "persistChat", "maxParticipants", "keepAliveSeconds"];
/** What is decided for the whole organisation alone. */
export const ofOrganization: readonly Setting[] = ["guestsAllowed", "hostsRunAll", "maxDurationMinutes", "chatDays"];

const numbers: Partial<Record<Setting, readonly [least: number, most: number]>> = {
  maxParticipants: [2, 1000], keepAliveSeconds: [60, 600], maxDurationMinutes: [15, 1440], chatDays: [0, 3650],
};

type Props = {
  names: readonly Setting[];
  values: MeetingSettings;
  put: (change: MeetingSettings) => void;
  /** What holds where nothing is chosen, and where nothing can be. */
  effective: MeetingOptions;
  /** What the organisation has decided for all meetings: it is shown, and not to be changed. */
  locked: readonly Setting[];
  /** What it is called to choose nothing. */
  none: string;
  error: (name: Setting) => string | undefined;
};

/** The settings of meetings, at one of their levels (ORG-08). */
export function MeetingFields({ names, values, put, effective, locked, none, error }: Props) {
  const { t, number } = useWords();
  const held = (name: Setting) => (effective as Partial<Record<Setting, string | number | boolean>>)[name];
  const shown = (value: string | number | boolean | null | undefined) => value === true ? "yes" : value === false ? "no" : String(value ?? "");
  return <>{names.map(name => {
    const isLocked = locked.includes(name), bounds = numbers[name];
    const around = { label: t(`meetings.setting.${name}`), hint: isLocked ? t("meetings.locked") : t(`meetings.setting.${name}.text`), error: error(name), disabled: isLocked };
    const value = shown(isLocked ? held(name) : values[name]);
    if (bounds) {
      const set = (text: string) => put({ [name]: text === "" ? undefined : Number(text) });
      return <TextField key={name} {...around} type="number" min={bounds[0]} max={bounds[1]} placeholder={number(Number(held(name) ?? 0))} value={value} set={set} />;
    }
    if (name === "guestAccess") {
      return <SelectField key={name} {...around} value={value} set={text => put({ guestAccess: text === "" ? undefined : text as MeetingOptions["guestAccess"] })}
        options={[["", none], ["disabled", t("meetings.guests.disabled")], ["link_only", t("meetings.guests.link_only")], ["open", t("meetings.guests.open")]]} />;
    }
    return <SelectField key={name} {...around} value={value} set={text => put({ [name]: text === "" ? undefined : text === "yes" })} options={[["", none], ["yes", t("yes")], ["no", t("no")]]} />;
  })}</>;
}
