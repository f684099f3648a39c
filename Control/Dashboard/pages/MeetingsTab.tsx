import { useState } from "react";
import type { Answer } from "../api/Client";
import { client, useReading } from "../api/Server";
import { Choice } from "../design/Field";
import { Read } from "../design/Page";
import { useWords } from "../text/Text";
import { Changes } from "./Changes";
import { MeetingFields, ofMeetings, ofOrganization, type Setting } from "./MeetingFields";

type Defaults = Answer<"getOrganizationMeetingSettings">;

/** What the organisation decides for its meetings, and what of it no meeting decides for itself. */
export function MeetingsTab() {
  const defaults = useReading("getOrganizationMeetingSettings", {});
  const [changed, setChanged] = useState<Defaults | null>(null);
  return <Read of={defaults}>{read => <Form defaults={changed ?? read} changed={setChanged} />}</Read>;
}

function Form({ defaults, changed }: { defaults: Defaults; changed: (defaults: Defaults) => void }) {
  const { t } = useWords();
  const { settings, locked } = defaults;
  // All of it is sent, since all of it is exchanged.
  const send = async (change: Partial<{ settings: Defaults["settings"]; locked: Defaults["locked"] }>) =>
    changed(await client.call("putOrganizationMeetingSettings", {}, { settings, locked, ...change }));
  const switched = (names: Defaults["locked"], name: Setting, isIn: boolean) => isIn ? [...names, name] : names.filter(one => one !== name);
  return (
    <Changes of={{ settings, locked }} send={send}>{(values, put, fault) => <>
      <MeetingFields names={[...ofOrganization, ...ofMeetings]} values={values.settings} put={change => put({ settings: { ...values.settings, ...change } })}
        effective={defaults.effective} locked={[]} none={t("meetings.standard")} error={name => fault?.about(`settings.${name}`)} />
      <fieldset className="choices">
        <legend>{t("meetings.lock")}</legend>
        {ofMeetings.map(name => (
          <Choice key={name} label={t(`meetings.setting.${name}`)} checked={values.locked.includes(name)} set={isIn => put({ locked: switched(values.locked, name, isIn) })} />
        ))}
      </fieldset>
    </>}</Changes>
  );
}
