import { useState } from "react";
import { client, useReading } from "../api/Server";
import type { RecordingSettings } from "../api/Schema";
import { SelectField } from "../design/Field";
import { Read } from "../design/Page";
import { useWords } from "../text/Text";
import { Changes } from "./Changes";

/** Whether broadcasts are recorded, and how long what was recorded is kept. */
export function RecordingsTab() {
  const settings = useReading("getOrganizationRecordingSettings", {});
  const [changed, setChanged] = useState<RecordingSettings | null>(null);
  return <Read of={settings}>{read => <Form settings={changed ?? read} changed={setChanged} />}</Read>;
}

function Form({ settings, changed }: { settings: RecordingSettings; changed: (settings: RecordingSettings) => void }) {
  const { t, number } = useWords();
  // All of it is sent, since all of it is exchanged.
  const send = async (change: Partial<RecordingSettings>) => changed(await client.call("putOrganizationRecordingSettings", {}, { ...settings, ...change }));
  return (
    <Changes of={settings} send={send}>{(values, put, fault) => <>
      <SelectField label={t("recordings.policy")} value={values.policy} set={chosen => put({ policy: chosen as RecordingSettings["policy"] })} error={fault?.about("policy")}
        options={(["always", "asked", "never"] as const).map(one => [one, t(`recordings.policy.${one}`)])} />
      <SelectField label={t("recordings.keep")} hint={t("recordings.keepHint")} value={String(values.keepDays)} set={chosen => put({ keepDays: Number(chosen) })} error={fault?.about("keepDays")}
        options={[0, 7, 30, 90, 365].map(days => [String(days), days === 0 ? t("recordings.keepForever") : t("analytics.days", { count: number(days) })])} />
    </>}</Changes>
  );
}
