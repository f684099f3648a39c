import { useState } from "react";
import type { Fault } from "../api/Fault";
import { client, useReading, useSession } from "../api/Server";
import { Badge } from "../design/Badge";
import { ActButton, Button, useAct } from "../design/Button";
import { FaultNote } from "../design/Fault";
import { TextField } from "../design/Field";
import { Card, Facts, Page, Read } from "../design/Page";
import { Table } from "../design/Table";
import { tell, tellFault } from "../design/Toast";
import { useWords } from "../text/Text";

/** One's own account: the password, and where one is signed in. */
export function AccountPage() {
  const { t, time, ago } = useWords();
  const { user } = useSession(), sessions = useReading("getAuthSessions", {});
  const end = async (id: string) => { await client.call("deleteAuthSessionsById", { id }); sessions.again(); };
  const endOthers = async () => { await client.call("deleteAuthSessions", {}); sessions.again(); };
  return (
    <Page title={t("nav.account")}>
      <Card><Facts facts={[[t("setup.name"), user.displayName], [t("email"), user.email], [t("members.role"), t(`role.${user.role}`)], [t("setup.organization"), user.organization.name]]} /></Card>
      <Password done={sessions.again} />
      <Read of={sessions}>{({ items }) => (
        <Card title={t("sessions.title")} actions={items.length > 1 && <ActButton small act={endOthers} failed={tellFault}>{t("sessions.endOthers")}</ActButton>}>
          <Table label={t("sessions.title")} rows={items} id={one => one.id} columns={[
            { id: "agent", title: t("sessions.browser"), heads: true, cell: one => <>{one.userAgent || t("sessions.unnamed")}{one.current && <> <Badge tone="good">{t("sessions.current")}</Badge></>}</> },
            { id: "address", title: t("sessions.address"), short: true, cell: one => one.address },
            { id: "created", title: t("sessions.since"), short: true, cell: one => time(one.createdAt) },
            { id: "used", title: t("sessions.used"), short: true, cell: one => ago(one.lastUsedAt) },
            { id: "act", title: t("actions"), cell: one => !one.current && <ActButton small look="quiet" act={() => end(one.id)} failed={tellFault} aria-label={t("sessions.endOf", { address: one.address })}>{t("sessions.end")}</ActButton> },
          ]} />
        </Card>
      )}</Read>
    </Page>
  );
}

function Password({ done }: { done: () => void }) {
  const { t } = useWords();
  const { user } = useSession();
  const [current, setCurrent] = useState(""), [password, setPassword] = useState(""), [fault, setFault] = useState<Fault | null>(null);
  const { state, run } = useAct(async () => {
    await client.call("putAuthPassword", {}, { current, password });
    setCurrent("");
    setPassword("");
    tell(t("password.changed"));
    done();
  }, setFault);
  return (
    <Card title={t("password.change")}>
      <form className="stack narrow" onSubmit={event => { event.preventDefault(); setFault(null); void run(); }}>
        <input type="hidden" name="username" autoComplete="username" value={user.email} readOnly />
        <TextField label={t("password.current")} type="password" autoComplete="current-password" required value={current} set={setCurrent} error={fault?.about("current")} />
        <TextField label={t("password.new")} hint={t("password.hint")} type="password" autoComplete="new-password" minLength={10} required value={password} set={setPassword} error={fault?.about("password")} />
        {fault && <FaultNote fault={fault} />}
        <div className="buttons"><Button type="submit" disabled={state === "busy"}>{t("password.change")}</Button></div>
      </form>
    </Card>
  );
}
