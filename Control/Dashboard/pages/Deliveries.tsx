import { useState } from "react";
import { client, useReading } from "../api/Server";
import type { Delivery, Webhook } from "../api/Schema";
import { Badge, type Tone } from "../design/Badge";
import { ActButton, Button } from "../design/Button";
import { Dialog } from "../design/Dialog";
import { Card, Facts, Read } from "../design/Page";
import { Table } from "../design/Table";
import { tellFault } from "../design/Toast";
import { useWords } from "../text/Text";

const tones: Record<Delivery["state"], Tone> = { received: "none", processing: "none", processed: "good", failed: "warn", retry_exhausted: "bad" };

type Props = { title?: string; items: readonly Delivery[]; webhooks: readonly Webhook[]; again: () => void };

/** What was told to webhooks, with what became of it. */
export function Deliveries({ title, items, webhooks, again }: Props) {
  const { t, number, time } = useWords();
  const [shown, setShown] = useState<Delivery | null>(null);
  const name = (id: string) => webhooks.find(one => one.id === id)?.description ?? id;
  const replay = async (one: Delivery) => {
    await client.call("postDiagnosticsDeliveriesByIdReplay", { id: one.id });
    again();
  };
  return (
    <Card title={title ?? t("deliveries.title")}>
      <p className="muted">{t("deliveries.text")}</p>
      <Table label={title ?? t("deliveries.title")} rows={items} id={one => one.id} columns={[
        { id: "at", title: t("time"), heads: true, short: true, cell: one => time(one.createdAt) },
        { id: "webhook", title: t("deliveries.webhook"), cell: one => name(one.webhook) },
        { id: "kind", title: t("deliveries.event"), cell: one => <><code className="whole">{one.kind}</code><p className="hint">{one.summary}</p></> },
        { id: "state", title: t("state"), cell: one => <><Badge tone={tones[one.state]}>{t(`deliveries.${one.state}`)}</Badge>{one.error && <p className="hint">{one.error}</p>}</> },
        { id: "attempts", title: t("deliveries.attempts"), number: true, cell: one => number(one.attempts) },
        { id: "act", title: t("actions"), cell: one => (
          <div className="buttons">
            <Button small onClick={() => setShown(one)} aria-label={t("deliveries.showOf", { number: one.number, name: name(one.webhook) })}>{t("deliveries.show")}</Button>
            <ActButton small act={() => replay(one)} failed={tellFault} done={t("deliveries.replayed")}
              aria-label={t("deliveries.replayOf", { number: one.number, name: name(one.webhook) })}>{t("deliveries.replay")}</ActButton>
          </div>
        ) },
      ]} />
      {shown && <Detail id={shown.id} name={name(shown.webhook)} close={() => setShown(null)} />}
    </Card>
  );
}

/** One of them, with what is sent. */
function Detail({ id, name, close }: { id: string; name: string; close: () => void }) {
  const { t, number, time } = useWords();
  const delivery = useReading("getDiagnosticsDeliveriesById", { id });
  return (
    <Dialog title={t("deliveries.one", { name })} close={close} wide>
      <Read of={delivery}>{one => (
        <>
          <Facts facts={[
            [t("deliveries.event"), <code key="kind">{one.kind}</code>],
            [t("state"), t(`deliveries.${one.state}`)],
            [t("deliveries.number"), number(one.number)],
            [t("deliveries.attempts"), number(one.attempts)],
            [t("deliveries.last"), one.attemptedAt && time(one.attemptedAt)],
            [t("deliveries.duration"), one.durationMs != null && `${number(one.durationMs)} ms`],
            [t("deliveries.next"), one.nextAttemptAt && time(one.nextAttemptAt)],
            [t("deliveries.status"), one.status],
            [t("reason"), one.error],
          ]} />
          {one.payload && <pre className="payload" role="region" tabIndex={0} aria-label={t("deliveries.payload")}><code>{pretty(one.payload)}</code></pre>}
        </>
      )}</Read>
      <div className="buttons"><Button onClick={close}>{t("close")}</Button></div>
    </Dialog>
  );
}

/** For reading: what is signed are the bytes as they are sent. */
function pretty(payload: string): string {
  try {
    return JSON.stringify(JSON.parse(payload), null, 2);
  } catch {
    return payload;
  }
}
