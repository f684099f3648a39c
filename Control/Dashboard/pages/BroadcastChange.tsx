import { useState } from "react";
import { client } from "../api/Server";
import type { Broadcast, Sender } from "../api/Schema";
import { FormDialog } from "../design/Dialog";
import { SelectField, TextField } from "../design/Field";
import { useWords } from "../text/Text";

/** Another bitrate or another input, while it runs. */
export function BroadcastChange({ broadcast, sender, close }: { broadcast: Broadcast; sender: Sender; close: () => void }) {
  const { t } = useWords();
  const before = String(broadcast.encoder.bitrate / 1e6);
  const [rate, setRate] = useState(before), [video, setVideo] = useState(broadcast.input.video);
  const inputs = sender.inventory.inputs.filter(one => one.media !== "audio").map(one => [one.id, one.name] as const);
  const offered = inputs.some(([id]) => id === broadcast.input.video) ? inputs : [[broadcast.input.video, t("start.absent", { input: broadcast.input.video })] as const, ...inputs];
  const megabits = Number(rate.replace(",", ".")), isRate = megabits >= 0.1 && megabits <= 50;
  const act = () => client.call("patchBroadcastsById", { id: broadcast.id }, {
    ...(rate !== before && { bitrate: Math.round(megabits * 1e6) }),
    ...(video !== broadcast.input.video && { input: { ...broadcast.input, video } }),
  });
  return (
    <FormDialog title={t("broadcast.changeTitle")} submit={t("broadcast.changeNow")} close={close} act={act} ready={isRate && (rate !== before || video !== broadcast.input.video)}>
      <TextField label={t("start.rate")} inputMode="decimal" value={rate} set={setRate} error={isRate ? undefined : t("start.rateRange")} />
      <SelectField label={t("start.input")} value={video} set={setVideo} options={offered} />
    </FormDialog>
  );
}
