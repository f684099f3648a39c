import { useState } from "react";
import type { Fault } from "../api/Fault";
import { client, useReading } from "../api/Server";
import type { HomeCall } from "../api/Schema";
import { ActButton, Button } from "../design/Button";
import { Dialog } from "../design/Dialog";
import { FaultNote } from "../design/Fault";
import { TextField } from "../design/Field";
import { Card, Facts, Read } from "../design/Page";
import { Table } from "../design/Table";
import { useWords } from "../text/Text";

/** Who is told how the server is, for the owner of the organisation that runs it, with each time that they were. */
export function PhoneHome() {
  const { t, time } = useWords();
  const home = useReading("getDiagnosticsPhoneHome", {});
  const [url, setURL] = useState(""), [fault, setFault] = useState<Fault | null>(null), [shown, setShown] = useState<HomeCall | null>(null);
  const put = async (url: string) => {
    setFault(null);
    await client.call("putDiagnosticsPhoneHome", {}, { url });
    setURL("");
    home.again();
  };
  const tell = async () => {
    setFault(null);
    await client.call("postDiagnosticsPhoneHome", {});
    home.again();
  };
  const outcome = (one: HomeCall) => one.fault ?? t("phoneHome.answered", { status: one.status ?? 0 });
  return (
    <Read of={home}>{({ place, calls }) => (
      <Card title={t("phoneHome.title")}>
        <p className="muted">{t("phoneHome.text")}</p>
        <Facts facts={[[t("phoneHome.place"), place ?? t("errors.nobody")]]} />
        <div className="stack narrow">
          <TextField label={t("phoneHome.url")} hint={t("phoneHome.urlHint")} value={url} set={setURL} maxLength={2000} autoComplete="off" autoCapitalize="off" spellCheck={false} error={fault?.about("url")} />
        </div>
        {fault && <FaultNote fault={fault} />}
        <div className="buttons">
          {place && <ActButton act={() => put("")} failed={setFault}>{t("phoneHome.stop")}</ActButton>}
          {place && <ActButton act={tell} failed={setFault} done={t("phoneHome.told")}>{t("phoneHome.tell")}</ActButton>}
          <ActButton look="primary" disabled={url.trim() === ""} act={() => put(url.trim())} failed={setFault} done={t("saved")}>{t("phoneHome.set")}</ActButton>
        </div>
        {calls.length > 0 && (
          <Table label={t("phoneHome.calls")} rows={calls} id={one => one.id} columns={[
            { id: "at", title: t("time"), heads: true, short: true, cell: one => time(one.at) },
            { id: "occasion", title: t("phoneHome.occasion"), cell: one => t(`phoneHome.${one.occasion}`) },
            { id: "place", title: t("phoneHome.place"), cell: one => one.place },
            { id: "outcome", title: t("phoneHome.outcome"), cell: outcome },
            { id: "act", title: t("actions"), cell: one => <Button small onClick={() => setShown(one)} aria-label={t("phoneHome.showOf", { time: time(one.at) })}>{t("deliveries.show")}</Button> },
          ]} />
        )}
        {shown && (
          <Dialog title={t("phoneHome.sent")} close={() => setShown(null)} wide>
            <pre className="payload" role="region" tabIndex={0} aria-label={t("phoneHome.sent")}><code>{shown.body}</code></pre>
            <div className="buttons"><Button onClick={() => setShown(null)}>{t("close")}</Button></div>
          </Dialog>
        )}
      </Card>
    )}</Read>
  );
}
