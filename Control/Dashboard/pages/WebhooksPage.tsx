import { useCallback, useState } from "react";
import { client, useReading } from "../api/Server";
import type { Webhook } from "../api/Schema";
import { Badge, type Tone } from "../design/Badge";
import { ActButton, Button } from "../design/Button";
import { Copy } from "../design/Copy";
import { ConfirmDialog, Dialog } from "../design/Dialog";
import { Card, Empty, Facts, Page, Read } from "../design/Page";
import { tellFault } from "../design/Toast";
import { useWords } from "../text/Text";
import { Deliveries } from "./Deliveries";
import { useEvery } from "./useEvery";
import { WebhookForm } from "./WebhookForm";

type State = "off" | "failing" | "on";
const tones: Record<State, Tone> = { on: "good", failing: "bad", off: "none" };
const stateOf = (one: Webhook): State => !one.active ? "off" : one.failingSince ? "failing" : "on";

/** Where the organisation's events are told, and what became of each. */
export function WebhooksPage() {
  const { t, number, time } = useWords();
  const webhooks = useReading("getWebhooks", {}), deliveries = useReading("getDiagnosticsDeliveries", {});
  const [edited, setEdited] = useState<Webhook | "new" | null>(null), [removed, setRemoved] = useState<Webhook | null>(null);
  const [renewed, setRenewed] = useState<Webhook | null>(null), [secret, setSecret] = useState<string | null>(null);
  const [listAgain, deliveriesAgain] = [webhooks.again, deliveries.again];
  const again = useCallback(() => { listAgain(); deliveriesAgain(); }, [listAgain, deliveriesAgain]);
  useEvery(5_000, again);
  const done = (made: Webhook) => {
    again();
    if (made.secret) setSecret(made.secret);
  };
  const test = async (one: Webhook) => {
    await client.call("postWebhooksByIdTest", { id: one.id });
    again();
  };
  const add = <Button look="primary" onClick={() => setEdited("new")}>{t("webhooks.add")}</Button>;
  return (
    <Page title={t("nav.webhooks")} actions={add}>
      <Read of={webhooks}>{({ items }) => items.length === 0 ? <Empty title={t("webhooks.none")} action={add}>{t("webhooks.noneText")}</Empty> : (
        items.map(one => (
          <Card key={one.id} title={one.description} actions={
            <>
              <ActButton small act={() => test(one)} failed={tellFault} done={t("webhooks.tested")} disabled={!one.active} aria-label={t("webhooks.testOf", { name: one.description })}>{t("webhooks.test")}</ActButton>
              <Button small onClick={() => setEdited(one)} aria-label={t("editOf", { name: one.description })}>{t("edit")}</Button>
              <Button small onClick={() => setRenewed(one)} aria-label={t("webhooks.renewOf", { name: one.description })}>{t("webhooks.renew")}</Button>
              <Button small look="quiet" onClick={() => setRemoved(one)} aria-label={t("removeOf", { name: one.description })}>{t("remove")}</Button>
            </>
          }>
            <Facts facts={[
              [t("state"), <Badge key="state" tone={tones[stateOf(one)]}>{t(`webhooks.${stateOf(one)}`)}</Badge>],
              [t("webhooks.url"), <code key="url">{one.url}</code>],
              [t("webhooks.kinds"), one.kinds ? one.kinds.join(", ") : t("webhooks.all")],
              [t("webhooks.waiting"), number(one.waiting)],
              [t("webhooks.failing"), one.failingSince && t("webhooks.since", { at: time(one.failingSince) })],
              [t("webhooks.missed"), one.skipped > 0 && t("webhooks.skipped", { count: number(one.skipped) })],
              [t("webhooks.older"), one.olderSecretUntil && t("webhooks.until", { at: time(one.olderSecretUntil) })],
            ]} />
          </Card>
        ))
      )}</Read>
      <Read of={deliveries}>{({ items }) => items.length === 0 ? null : <Deliveries items={items} webhooks={webhooks.value?.items ?? []} again={again} />}</Read>
      {edited && <WebhookForm webhook={edited === "new" ? undefined : edited} close={() => setEdited(null)} done={done} />}
      {removed && (
        <ConfirmDialog title={t("webhooks.removeTitle", { name: removed.description })} submit={t("remove")} close={() => setRemoved(null)}
          act={async () => { await client.call("deleteWebhooksById", { id: removed.id }); again(); }}><p>{t("webhooks.removeText")}</p></ConfirmDialog>
      )}
      {renewed && (
        <ConfirmDialog title={t("webhooks.renewOf", { name: renewed.description })} submit={t("webhooks.renew")} close={() => setRenewed(null)}
          act={async () => done(await client.call("postWebhooksByIdSecret", { id: renewed.id }, {}))}><p>{t("webhooks.renewText")}</p></ConfirmDialog>
      )}
      {secret && (
        <Dialog title={t("webhooks.secret")} close={() => setSecret(null)}>
          <p>{t("webhooks.secretText")}</p>
          <Copy text={secret} label={t("webhooks.secret")} />
          <div className="buttons"><Button onClick={() => setSecret(null)}>{t("close")}</Button></div>
        </Dialog>
      )}
    </Page>
  );
}
