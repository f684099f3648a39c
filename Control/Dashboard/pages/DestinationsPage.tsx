import { useState } from "react";
import { client, useMay, useReading } from "../api/Server";
import type { Destination } from "../api/Schema";
import { Button } from "../design/Button";
import { ConfirmDialog } from "../design/Dialog";
import { Card, Empty, Page, Read } from "../design/Page";
import { Table } from "../design/Table";
import { useDestinationsChange } from "../live/Live";
import { useWords } from "../text/Text";
import { DestinationForm } from "./DestinationForm";
import { DestinationTestDialog } from "./DestinationTestDialog";

/** The platforms that broadcasts go to; their keys are never shown. */
export function DestinationsPage() {
  const { t } = useWords();
  const may = useMay(), destinations = useReading("getDestinations", {});
  const [edited, setEdited] = useState<Destination | "new" | null>(null), [removed, setRemoved] = useState<Destination | null>(null), [tested, setTested] = useState<Destination | null>(null);
  useDestinationsChange(destinations.again);
  const add = may("destinations.manage") && <Button look="primary" onClick={() => setEdited("new")}>{t("destinations.add")}</Button>;
  return (
    <Page title={t("nav.destinations")} actions={add}>
      <Read of={destinations}>{({ items }) => items.length === 0 ? <Empty title={t("destinations.none")} action={add}>{t("destinations.noneText")}</Empty> : (
        <Card>
          <Table label={t("nav.destinations")} rows={items} id={one => one.id} columns={[
            { id: "name", title: t("name"), heads: true, cell: one => one.name },
            { id: "url", title: t("destinations.url"), cell: one => <code>{one.url}</code> },
            { id: "secret", title: t("destinations.secret"), cell: one => one.maskedSecret ? <code>{one.maskedSecret}</code> : "–" },
            { id: "latency", title: t("destinations.latency"), number: true, cell: one => one.latencyMs != null ? `${one.latencyMs} ms` : "–" },
            ...(may("destinations.manage") ? [{ id: "act", title: t("actions"), cell: (one: Destination) => (
              <div className="buttons">
                <Button small look="quiet" onClick={() => setTested(one)} aria-label={t("destinations.testOf", { name: one.name })}>{t("destinations.test")}</Button>
                <Button small onClick={() => setEdited(one)} aria-label={t("editOf", { name: one.name })}>{t("edit")}</Button>
                <Button small look="quiet" onClick={() => setRemoved(one)} aria-label={t("removeOf", { name: one.name })}>{t("remove")}</Button>
              </div>
            ) }] : []),
          ]} />
        </Card>
      )}</Read>
      {edited && <DestinationForm destination={edited === "new" ? undefined : edited} close={() => setEdited(null)} done={destinations.again} />}
      {tested && <DestinationTestDialog destination={tested} close={() => setTested(null)} />}
      {removed && (
        <ConfirmDialog title={t("destinations.removeTitle", { name: removed.name })} submit={t("remove")} close={() => setRemoved(null)}
          act={async () => { await client.call("deleteDestinationsById", { id: removed.id }); destinations.again(); }}><p>{t("destinations.removeText")}</p></ConfirmDialog>
      )}
    </Page>
  );
}
