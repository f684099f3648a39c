import { useState } from "react";
import type { ChangeProfileRequest } from "../api/Schema";
import type { Fault } from "../api/Fault";
import { access, client, useReading, useSession } from "../api/Server";
import { Badge } from "../design/Badge";
import { ActButton, Button, useAct } from "../design/Button";
import { FaultNote } from "../design/Fault";
import { TextField } from "../design/Field";
import { Card, Facts, Page, Read } from "../design/Page";
import { PictureField, type Picture } from "../design/PictureField";
import { Table } from "../design/Table";
import { tell, tellFault } from "../design/Toast";
import { useWords } from "../text/Text";
import { AlertsCard } from "./AlertsCard";
import { Changes } from "./Changes";
import { upload } from "./upload";

/** One's own account: name and picture, mail address, password, and where one is signed in. */
export function AccountPage() {
  const { t, time, ago } = useWords();
  const { user } = useSession(), sessions = useReading("getAuthSessions", {});
  const end = async (id: string) => { await client.call("deleteAuthSessionsById", { id }); sessions.again(); };
  const endOthers = async () => { await client.call("deleteAuthSessions", {}); sessions.again(); };
  return (
    <Page title={t("nav.account")}>
      <Card><Facts facts={[[t("email"), user.email], [t("members.role"), t(`role.${user.role}`)], [t("setup.organization"), user.organization.name]]} /></Card>
      <Profile />
      <Email />
      <Password done={sessions.again} />
      <AlertsCard />
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

function Profile() {
  const { t } = useWords();
  const { user } = useSession();
  const of: { displayName: string; avatar: Picture } = { displayName: user.displayName, avatar: user.avatar ?? "" };
  const send = async ({ displayName, avatar }: Partial<typeof of>) => {
    const change: ChangeProfileRequest = {
      ...(displayName !== undefined && { displayName }),
      ...(avatar !== undefined && { avatar: typeof avatar === "string" ? "" : await upload(avatar, "avatar") }),
    };
    access.know(await client.call("patchAuthMe", {}, change));
  };
  return (
    <Changes of={of} send={send}>{(values, put, fault) => <>
      <TextField label={t("setup.name")} required maxLength={100} autoComplete="name" value={values.displayName} set={displayName => put({ displayName })} error={fault?.about("displayName")} />
      <PictureField label={t("account.avatar")} hint={t("account.avatarHint")} remove={t("account.noAvatar")} value={values.avatar} set={avatar => put({ avatar })}
        frame={{ width: 256, height: 256, bytes: 48 << 10, isSquare: true }} error={fault?.about("avatar")} />
    </>}</Changes>
  );
}

/** Another address is one's own once the link that was mailed there is followed. */
function Email() {
  const { t } = useWords();
  const [email, setEmail] = useState(""), [password, setPassword] = useState(""), [sent, setSent] = useState(""), [fault, setFault] = useState<Fault | null>(null);
  const { user } = useSession(), setup = useReading("getSetup", {});
  const { state, run } = useAct(async () => {
    await client.call("postAuthMeEmail", {}, { email, password });
    setSent(email);
    setEmail("");
    setPassword("");
  }, setFault);
  if (setup.value?.sendsMail !== true) return null;
  return (
    <Card title={t("account.email")}>
      <form className="stack narrow" onSubmit={event => { event.preventDefault(); setFault(null); void run(); }}>
        {sent && <p role="status">{t("account.emailSent", { email: sent })}</p>}
        <input type="hidden" name="username" autoComplete="username" value={user.email} readOnly />
        <TextField label={t("account.newEmail")} type="email" autoComplete="off" required value={email} set={setEmail} error={fault?.about("email")} />
        <TextField label={t("tokens.password")} type="password" autoComplete="current-password" required value={password} set={setPassword} error={fault?.about("password")} />
        {fault && <FaultNote fault={fault} />}
        <div className="buttons"><Button type="submit" disabled={state === "busy"} aria-busy={state === "busy"}>{t("account.emailSend")}</Button></div>
      </form>
    </Card>
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
