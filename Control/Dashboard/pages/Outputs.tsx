import { useState } from "react";
import { client, useMay, useReading } from "../api/Server";
import type { Broadcast } from "../api/Schema";
import { Badge } from "../design/Badge";
import { ActButton, Button } from "../design/Button";
import { ConfirmDialog, FormDialog } from "../design/Dialog";
import { SelectField } from "../design/Field";
import { Card, Read } from "../design/Page";
import { outputTone } from "../design/states";
import { Table } from "../design/Table";
import { tellFault } from "../design/Toast";
import { useWords } from "../text/Text";

type Output = Broadcast["outputs"][number];

/** Where a broadcast goes to, how each output is, and what is done about it. */
export function Outputs({ broadcast }: { broadcast: Broadcast }) {
  const { t, bytes, number } = useWords();
  const may = useMay();
  const [adding, setAdding] = useState<"output" | "room" | null>(null), [removed, setRemoved] = useState<Output | null>(null);
  const isOpen = broadcast.state !== "ended" && broadcast.state !== "stopping" && may("broadcasts.run");
  return (
    <Card title={t("outputs.title")} actions={isOpen && (
      <>
        {may("rooms.run") && <Button small onClick={() => setAdding("room")}>{t("outputs.bring")}</Button>}
        <Button small onClick={() => setAdding("output")}>{t("outputs.add")}</Button>
      </>
    )}>
      {broadcast.outputs.length === 0 ? <p className="warn">{t("outputs.none")}</p> : (
        <Table label={t("outputs.title")} rows={broadcast.outputs} id={one => one.id} columns={[
          { id: "name", title: t("name"), heads: true, cell: one => one.room ? <>{one.name} <Badge>{t("outputs.room")}</Badge></> : one.name },
          { id: "state", title: t("state"), cell: one => one.report ? <Badge tone={one.report.state === "connected" && one.report.reason ? "warn" : outputTone[one.report.state]}>{t(`outputs.state.${one.report.state}`)}</Badge> : "–" },
          { id: "sent", title: t("outputs.sent"), number: true, cell: one => one.report ? bytes(one.report.sentBytesTotal) : "–" },
          { id: "dropped", title: t("outputs.dropped"), number: true, cell: one => one.report ? number(one.report.droppedUnitsTotal) : "–" },
          { id: "reconnects", title: t("outputs.reconnects"), number: true, cell: one => one.report ? number(one.report.reconnectsTotal) : "–" },
          { id: "reason", title: t("reason"), cell: one => one.report?.reason ?? "" },
          ...(isOpen ? [{ id: "act", title: t("actions"), cell: (one: Output) => (
            <div className="buttons">
              {one.report && one.report.state !== "connected" && (
                <ActButton small done={t("outputs.retried")} failed={tellFault} aria-label={t("outputs.retryOf", { name: one.name })}
                  act={() => client.call("postBroadcastsByIdOutputsByOutputRetry", { id: broadcast.id, output: one.id })}>{t("outputs.retry")}</ActButton>
              )}
              <Button small look="quiet" aria-label={t("outputs.removeOf", { name: one.name })} onClick={() => setRemoved(one)}>{t("outputs.remove")}</Button>
            </div>
          ) }] : []),
        ]} />
      )}
      {adding === "output" && <AddOutput broadcast={broadcast} close={() => setAdding(null)} />}
      {adding === "room" && <BringIntoRoom broadcast={broadcast} close={() => setAdding(null)} />}
      {removed && (
        <ConfirmDialog title={t("outputs.removeTitle", { name: removed.name })} submit={t("outputs.remove")} close={() => setRemoved(null)}
          act={() => client.call("deleteBroadcastsByIdOutputsByOutput", { id: broadcast.id, output: removed.id })}>
          <p>{t(removed.room ? "outputs.removeRoom" : broadcast.outputs.length === 1 ? "outputs.removeLast" : "outputs.removeText")}</p>
        </ConfirmDialog>
      )}
    </Card>
  );
}

function AddOutput({ broadcast, close }: { broadcast: Broadcast; close: () => void }) {
  const { t } = useWords();
  const destinations = useReading("getDestinations", {}), [chosen, setChosen] = useState("");
  const free = (destinations.value?.items ?? []).filter(one => !broadcast.outputs.some(output => output.destination === one.id));
  const destination = chosen || free[0]?.id || "";
  return (
    <FormDialog title={t("outputs.add")} submit={t("outputs.add")} close={close} ready={destination !== ""} act={() => client.call("postBroadcastsByIdOutputs", { id: broadcast.id }, { destination })}>
      <Read of={destinations}>{() => free.length === 0 ? <p>{t("outputs.all")}</p>
        : <SelectField label={t("outputs.destination")} value={destination} set={setChosen} options={free.map(one => [one.id, one.name] as const)} />}</Read>
    </FormDialog>
  );
}

/** Has it join a room, or a meeting of one's own that runs: as a participant who is called like its sender. */
function BringIntoRoom({ broadcast, close }: { broadcast: Broadcast; close: () => void }) {
  const { t } = useWords();
  const rooms = useReading("getRooms", {}), meetings = useReading("getMeetings", { state: "active" }), [chosen, setChosen] = useState("");
  const running = (meetings.value?.items ?? []).flatMap(one => one.room && one.mayRun ? [[one.room, one.title] as const] : []);
  const all = [...running, ...(rooms.value?.items ?? []).map(one => [one.id, one.name] as const)];
  const free = all.filter(([id]) => !broadcast.outputs.some(output => output.room === id));
  const room = chosen || free[0]?.[0] || "";
  return (
    <FormDialog title={t("outputs.bring")} submit={t("outputs.bring")} close={close} ready={room !== ""} act={() => client.call("postBroadcastsByIdRooms", { id: broadcast.id }, { room })}>
      <p>{t("outputs.bringText")}</p>
      <Read of={rooms}>{() => <Read of={meetings}>{() => free.length === 0 ? <p>{t("outputs.noRoom")}</p>
        : <SelectField label={t("outputs.room")} value={room} set={setChosen} options={free} />}</Read>}</Read>
    </FormDialog>
  );
}
