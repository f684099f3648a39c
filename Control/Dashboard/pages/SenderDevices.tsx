import { useState } from "react";
import { useMay } from "../api/Server";
import type { Sender } from "../api/Schema";
import { Button } from "../design/Button";
import { Card, Empty } from "../design/Page";
import { Table } from "../design/Table";
import { useWords } from "../text/Text";
import { InputPicture, useLooks } from "./InputPicture";

type Mode = Sender["inventory"]["inputs"][number]["modes"][number];

/** `1920×1080 at 50`; of each size the fastest. */
function sizes(modes: readonly Mode[]): string {
  const best = new Map<string, number>();
  for (const mode of modes) {
    const size = `${mode.width}×${mode.height}`, rate = mode.frames / Math.max(1, mode.frameSeconds);
    best.set(size, Math.max(best.get(size) ?? 0, rate));
  }
  return [...best].slice(0, 6).map(([size, rate]) => `${size}@${Math.round(rate)}`).join(", ");
}

/** What is plugged into a sender, and what it encodes with. */
export function SenderDevices({ sender }: { sender: Sender }) {
  const { t } = useWords();
  const { inputs, encoders } = sender.inventory;
  const may = useMay(), [isLooking, setLooking] = useState(false);
  const shown = inputs.filter(one => one.media !== "audio"), canLook = may("senders.operate") && sender.online && shown.length > 0;
  const looks = useLooks(sender.id, shown.map(one => one.id).join("\n"), isLooking && canLook);
  if (inputs.length + encoders.length === 0) return <Empty title={t("devices.none")}>{t("devices.noneText")}</Empty>;
  return (
    <>
      <Card title={t("devices.inputs")} actions={canLook && <Button small aria-pressed={isLooking} onClick={() => setLooking(!isLooking)}>{t(isLooking ? "devices.lookOff" : "devices.look")}</Button>}>
        <Table label={t("devices.inputs")} rows={inputs} id={one => one.id} columns={[
          { id: "name", title: t("name"), heads: true, cell: one => one.name },
          { id: "kind", title: t("devices.kind"), cell: one => t(`devices.kind.${one.kind}`) },
          { id: "media", title: t("devices.media"), cell: one => t(`devices.media.${one.media}`) },
          { id: "modes", title: t("devices.modes"), cell: one => sizes(one.modes) || "–" },
          ...(isLooking && canLook ? [{ id: "picture", title: t("devices.picture"), cell: (one: Sender["inventory"]["inputs"][number]) => one.media === "audio" ? "–" : <InputPicture look={looks.get(one.id)} name={one.name} /> }] : []),
        ]} />
      </Card>
      <Card title={t("devices.encoders")}>
        <Table label={t("devices.encoders")} rows={encoders} id={one => `${one.id} ${one.codec}`} columns={[
          { id: "id", title: t("name"), heads: true, cell: one => one.id },
          { id: "codec", title: t("devices.codec"), cell: one => one.codec },
          { id: "hardware", title: t("devices.hardware"), cell: one => t(one.hardware ? "yes" : "no") },
        ]} />
      </Card>
    </>
  );
}
