import { useState } from "react";
import { client, useMay } from "../api/Server";
import type { Sender } from "../api/Schema";
import type { Fault } from "../api/Fault";
import { ActButton } from "../design/Button";
import { FaultNote } from "../design/Fault";
import { Card } from "../design/Page";
import { Table } from "../design/Table";
import { useWords } from "../text/Text";

/** What each link uploaded when it was measured last, and the button that measures it. */
export function SpeedTests({ sender, isBusy }: { sender: Sender; isBusy: boolean }) {
  const { t, megabits, milliseconds, time } = useWords();
  const may = useMay(), [fault, setFault] = useState<Fault | null>(null);
  const last = (link: string) => (sender.speedTests ?? []).find(test => test.link === link);
  if (sender.inventory.links.length === 0) return null;
  return (
    <Card title={t("speed.title")}>
      <p className="muted">{t(isBusy ? "speed.busy" : "speed.text")}</p>
      {fault && <FaultNote fault={fault} />}
      <Table label={t("speed.title")} rows={sender.inventory.links} id={link => link.name} columns={[
        { id: "link", title: t("links.link"), heads: true, cell: link => link.name },
        { id: "upload", title: t("speed.upload"), number: true, cell: link => { const test = last(link.name); return test ? test.upload != null ? megabits(test.upload) : test.reason : "–"; } },
        { id: "rtt", title: t("links.rtt"), number: true, cell: link => { const test = last(link.name); return test?.rttMs != null ? milliseconds(test.rttMs) : "–"; } },
        { id: "at", title: t("speed.at"), short: true, cell: link => { const test = last(link.name); return test ? time(test.at) : "–"; } },
        ...(may("senders.operate") ? [{ id: "act", title: t("actions"), cell: (link: Sender["inventory"]["links"][number]) => (
          <ActButton small disabled={isBusy || !sender.online || link.state !== "up"} done={t("speed.done")} aria-label={t("speed.measureLink", { link: link.name })}
            act={() => { setFault(null); return client.call("postSendersByIdSpeedTest", { id: sender.id }, { link: link.name }); }} failed={setFault}>{t("speed.measure")}</ActButton>
        ) }] : []),
      ]} />
    </Card>
  );
}
