import { useState } from "react";
import type { AlertRule, Alerts, Incident } from "../api/Schema";
import type { Fault } from "../api/Fault";
import { client, useMay, useReading } from "../api/Server";
import { Link } from "../app/Router";
import { Badge } from "../design/Badge";
import { Button, useAct } from "../design/Button";
import { Copy } from "../design/Copy";
import { FaultNote } from "../design/Fault";
import { Choice, TextField } from "../design/Field";
import { Card, Read } from "../design/Page";
import { Table } from "../design/Table";
import { tell } from "../design/Toast";
import { useWords } from "../text/Text";

type Kind = AlertRule["kind"];
type Chosen = { on: boolean; value: string; seconds: string };

/** What is offered, with the numbers that are proposed. */
const offered: readonly (readonly [kind: Kind, value?: number, seconds?: number])[] =
  [["silence"], ["black"], ["frozen"], ["no_signal"], ["loss", 5, 30], ["bitrate", 1000, 30], ["offline", undefined, 60], ["output", undefined, 60], ["health"]];

/** What one is told of and how, and what one was told. */
export function AlertsCard() {
  const alerts = useReading("getAuthMeAlerts", {}), incidents = useReading("getAuthMeIncidents", {});
  const [saved, setSaved] = useState<Alerts>();
  return <>
    <Read of={alerts}>{read => <Form alerts={saved ?? read} done={setSaved} />}</Read>
    {incidents.value && incidents.value.items.length > 0 && <Told items={incidents.value.items} />}
  </>;
}

function Form({ alerts, done }: { alerts: Alerts; done: (saved: Alerts) => void }) {
  const { t, time } = useWords();
  const may = useMay(), setup = useReading("getSetup", {});
  const kinds = offered.filter(([kind]) => kind !== "health" || may("diagnostics.view"));
  const [rules, setRules] = useState<Partial<Record<Kind, Chosen>>>(() => Object.fromEntries(kinds.map(([kind, value, seconds]) => {
    const rule = alerts.rules.find(one => one.kind === kind);
    return [kind, { on: rule !== undefined, value: `${rule?.value ?? value ?? ""}`, seconds: `${rule?.seconds ?? seconds ?? ""}` }];
  })));
  const [byMail, setByMail] = useState(alerts.byMail), [recovery, setRecovery] = useState(alerts.recovery);
  const [url, setURL] = useState(alerts.webhook?.url ?? ""), [fault, setFault] = useState<Fault | null>(null);
  const wanted = kinds.filter(([kind]) => rules[kind]?.on);
  const put = (kind: Kind, change: Partial<Chosen>) => setRules(before => ({ ...before, [kind]: { on: false, value: "", seconds: "", ...before[kind], ...change } }));
  const { state, run } = useAct(async () => {
    done(await client.call("putAuthMeAlerts", {}, {
      rules: wanted.map(([kind, value, seconds]) => ({
        kind, ...(value !== undefined && { value: Number(rules[kind]?.value) }), ...(seconds !== undefined && { seconds: Number(rules[kind]?.seconds) }),
      })),
      byMail, recovery, ...(url.trim() && { webhookURL: url.trim() }),
    }));
    tell(t("saved"));
  }, setFault);
  return (
    <Card title={t("alerts.title")}>
      <form className="stack" onSubmit={event => { event.preventDefault(); setFault(null); void run(); }}>
        <p className="muted">{t("alerts.text")}</p>
        <fieldset className="choices">
          <legend>{t("alerts.what")}</legend>
          {kinds.map(([kind, value, seconds]) => {
            const chosen = rules[kind], about = (field: string) => fault?.about(`rules[${wanted.findIndex(one => one[0] === kind)}].${field}`);
            return (
              <div key={kind} className="rule">
                <Choice label={t(`alerts.kind.${kind}`)} checked={chosen?.on ?? false} set={on => put(kind, { on })} />
                {chosen?.on && (value !== undefined || seconds !== undefined) && (
                  <div className="numbers">
                    {value !== undefined && <TextField label={t(kind === "loss" ? "alerts.percent" : "alerts.kilobits")} type="number" required min={1} max={kind === "loss" ? 99 : 1_000_000}
                      value={chosen.value} set={text => put(kind, { value: text })} error={about("value")} />}
                    {seconds !== undefined && <TextField label={t("alerts.seconds")} type="number" required min={5} max={3600} value={chosen.seconds} set={text => put(kind, { seconds: text })} error={about("seconds")} />}
                  </div>
                )}
              </div>
            );
          })}
        </fieldset>
        <fieldset className="choices">
          <legend>{t("alerts.how")}</legend>
          <Choice label={t("alerts.mail")} hint={setup.value?.sendsMail === false ? t("alerts.noMail") : undefined} checked={byMail} set={setByMail} />
          <Choice label={t("alerts.recovery")} checked={recovery} set={setRecovery} />
        </fieldset>
        <div className="narrow stack">
          <TextField label={t("alerts.webhook")} hint={t("alerts.webhookHint")} value={url} set={setURL} inputMode="url" autoCapitalize="off" spellCheck={false} error={fault?.about("webhookURL")} />
          {alerts.webhook && !alerts.webhook.active && <p className="warn">{t("alerts.gone")}</p>}
          {alerts.webhook?.active && alerts.webhook.failingSince && <p className="warn">{t("alerts.failing", { at: time(alerts.webhook.failingSince), count: alerts.webhook.waiting })}</p>}
          {alerts.webhook?.secret && <div className="stack" role="status"><p>{t("webhooks.secretText")}</p><Copy text={alerts.webhook.secret} label={t("webhooks.secret")} /></div>}
        </div>
        {fault && <FaultNote fault={fault} />}
        <div className="buttons"><Button type="submit" look="primary" disabled={state === "busy"} aria-busy={state === "busy"}>{t("alerts.save")}</Button></div>
      </form>
    </Card>
  );
}

function Told({ items }: { items: Incident[] }) {
  const { t, time } = useWords();
  return (
    <Card title={t("alerts.told")}>
      <Table label={t("alerts.told")} rows={items} id={one => one.id} columns={[
        { id: "kind", title: t("alerts.what"), heads: true, cell: one => <>{t(`alerts.kind.${one.kind}`)}{!one.closedAt && <> <Badge tone="bad">{t("alerts.lasts")}</Badge></>}</> },
        { id: "name", title: t("name"), cell: one => one.broadcast ? <Link to={`/broadcasts/${one.broadcast}`}>{one.name}</Link> : one.name },
        { id: "reason", title: t("reason"), cell: one => one.reason },
        { id: "opened", title: t("alerts.opened"), short: true, cell: one => time(one.openedAt) },
        { id: "closed", title: t("alerts.closed"), short: true, cell: one => one.closedAt && time(one.closedAt) },
      ]} />
    </Card>
  );
}
