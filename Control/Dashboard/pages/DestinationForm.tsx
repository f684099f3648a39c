import { useState } from "react";
import type { Fault } from "../api/Fault";
import { client } from "../api/Server";
import type { Destination, DestinationRequest } from "../api/Schema";
import { FormDialog } from "../design/Dialog";
import { SelectField, TextField } from "../design/Field";
import { useWords } from "../text/Text";

type Preset = NonNullable<DestinationRequest["preset"]>;
/** Whose address the server knows; the names are their own. */
const presets: readonly (readonly [Preset, string])[] = [["youtube", "YouTube"], ["twitch", "Twitch"]];

/** A new destination, or a change; a key that is left empty stays as it is. */
export function DestinationForm({ destination, close, done }: { destination?: Destination; close: () => void; done: () => void }) {
  const { t } = useWords();
  const [name, setName] = useState(destination?.name ?? ""), [url, setURL] = useState(destination?.url ?? ""), [secret, setSecret] = useState("");
  const [streamID, setStreamID] = useState(destination?.streamID ?? ""), [mode, setMode] = useState<"caller" | "listener">(destination?.srtMode ?? "caller");
  const [latency, setLatency] = useState(destination?.latencyMs != null ? String(destination.latencyMs) : "");
  const [preset, setPreset] = useState<Preset | "">(""), [fault, setFault] = useState<Fault | null>(null);
  const isSRT = preset === "" && url.trim().toLowerCase().startsWith("srt:");
  const act = async () => {
    setFault(null);
    const request: DestinationRequest = {
      name: name.trim(), ...(preset ? { preset } : { url: url.trim() }), ...(secret && { secret }),
      ...(isSRT && { srtMode: mode, ...(streamID && { streamID }), ...(latency && { latencyMs: Number(latency) }) }),
    };
    await (destination ? client.call("putDestinationsById", { id: destination.id }, request) : client.call("postDestinations", {}, request));
    done();
  };
  return (
    <FormDialog title={destination ? t("destinations.edit") : t("destinations.add")} submit={t("save")} close={close} act={act} failed={setFault} ready={name.trim() !== "" && (preset !== "" || url.trim() !== "")}>
      <TextField label={t("name")} name="name" value={name} set={setName} required maxLength={100} error={fault?.about("name")} />
      {!destination && <SelectField label={t("destinations.platform")} value={preset} set={value => setPreset(value as Preset | "")} options={[["", t("destinations.other")], ...presets]} />}
      {preset === "" && <TextField label={t("destinations.url")} name="url" hint={t("destinations.urlHint")} value={url} set={setURL} required inputMode="url" autoCapitalize="off" spellCheck={false} error={fault?.about("url")} />}
      <TextField label={t(isSRT ? "destinations.passphrase" : "destinations.key")} name="secret" type="password" autoComplete="off" hint={destination?.maskedSecret ? t("destinations.kept", { secret: destination.maskedSecret }) : undefined} value={secret} set={setSecret} error={fault?.about("secret")} />
      {isSRT && <>
        <SelectField label={t("destinations.mode")} value={mode} set={value => setMode(value as typeof mode)} options={[["caller", t("destinations.mode.caller")], ["listener", t("destinations.mode.listener")]]} error={fault?.about("srtMode")} />
        <TextField label={t("destinations.streamID")} value={streamID} set={setStreamID} error={fault?.about("streamID")} />
        <TextField label={t("destinations.latency")} hint={t("destinations.latencyHint")} inputMode="numeric" pattern="[0-9]*" value={latency} set={setLatency} error={fault?.about("latencyMs")} />
      </>}
    </FormDialog>
  );
}
