import { useState } from "react";
import { client, useReading } from "../api/Server";
import type { Fault } from "../api/Fault";
import type { Answer } from "../api/Client";
import { Badge } from "../design/Badge";
import { ActButton, Button } from "../design/Button";
import { Copy } from "../design/Copy";
import { ConfirmDialog, Dialog, FormDialog } from "../design/Dialog";
import { AreaField, SelectField, TextField } from "../design/Field";
import { Card, Read } from "../design/Page";
import { Table } from "../design/Table";
import { tell, tellFault } from "../design/Toast";
import { useWords } from "../text/Text";

type Role = "admin" | "host" | "member";
type Invitation = Answer<"getInvitations">["items"][number];

type Roles = readonly (readonly [Role, string])[];
/** Whose link no mail brings. */
type Unsent = { email: string; link: string };
type InvitationsProps = { roles: Roles; asked: "one" | "many" | null; close: () => void; shown: (link: string) => void };

/** Who was invited and has not come yet, and the questions that invite somebody. @param shown takes a link that no mail brings. */
export function Invitations({ roles, asked, close, shown }: InvitationsProps) {
  const invitations = useReading("getInvitations", {}), { again } = invitations, [unsent, setUnsent] = useState<readonly Unsent[]>([]);
  return (
    <>
      <Read of={invitations}>{({ items }) => items.length === 0 ? null : <List items={items} again={again} shown={shown} />}</Read>
      {asked === "one" && <InviteDialog roles={roles} close={close} done={again} shown={shown} />}
      {asked === "many" && <InviteManyDialog roles={roles} close={close} done={again} shown={setUnsent} />}
      {unsent.length > 0 && <LinksDialog links={unsent} close={() => setUnsent([])} />}
    </>
  );
}

function List({ items, again, shown }: { items: readonly Invitation[]; again: () => void; shown: (link: string) => void }) {
  const { t, time } = useWords();
  const [withdrawn, setWithdrawn] = useState<Invitation | null>(null);
  const send = async (one: Invitation) => {
    const { link } = await client.call("postInvitationsByIdResend", { id: one.id });
    again();
    if (link) shown(link);
  };
  return (
    <Card title={t("invitations.title")}>
      <Table label={t("invitations.title")} rows={items} id={one => one.id} columns={[
        { id: "email", title: t("email"), heads: true, cell: one => one.email },
        { id: "way", title: t("invitations.way"), cell: one => t(one.byCode ? "invitations.byCode" : "invitations.byPerson") },
        { id: "role", title: t("members.role"), cell: one => t(`role.${one.role}`) },
        { id: "state", title: t("state"), cell: one => <Badge tone={one.state === "open" ? "none" : "warn"}>{t(`invitations.${one.state}`)}</Badge> },
        { id: "expires", title: t("enrollment.expires"), short: true, cell: one => time(one.expiresAt) },
        { id: "act", title: t("actions"), cell: one => (
          <div className="buttons">
            <ActButton small act={() => send(one)} failed={tellFault} done={t("invitations.sent")} aria-label={t("invitations.resendTo", { email: one.email })}>{t("invitations.resend")}</ActButton>
            <Button small look="quiet" onClick={() => setWithdrawn(one)} aria-label={t("invitations.withdrawOf", { email: one.email })}>{t("enrollment.withdraw")}</Button>
          </div>
        ) },
      ]} />
      {withdrawn && (
        <ConfirmDialog title={t("invitations.withdrawOf", { email: withdrawn.email })} submit={t("enrollment.withdraw")} close={() => setWithdrawn(null)}
          act={async () => { await client.call("deleteInvitationsById", { id: withdrawn.id }); again(); }}><p>{t("invitations.withdrawText")}</p></ConfirmDialog>
      )}
    </Card>
  );
}

function InviteDialog({ roles, close, done, shown }: { roles: Roles; close: () => void; done: () => void; shown: (link: string) => void }) {
  const { t } = useWords();
  const [email, setEmail] = useState(""), [role, setRole] = useState<Role>(roles.some(([one]) => one === "host") ? "host" : "member"), [message, setMessage] = useState("");
  const [days, setDays] = useState("7"), [fault, setFault] = useState<Fault | null>(null);
  const act = async () => {
    setFault(null);
    const { link } = await client.call("postInvitations", {}, { email, role, ...(message && { message }), expiresInSeconds: Number(days) * 86_400 });
    done();
    if (link) shown(link); else tell(t("invitations.sentTo", { email }));
  };
  return (
    <FormDialog title={t("invitations.add")} submit={t("invitations.add")} close={close} act={act} failed={setFault}>
      <TextField label={t("email")} type="email" autoComplete="off" required value={email} set={setEmail} error={fault?.about("email")} />
      <SelectField label={t("members.role")} hint={t(`role.${role}.text`)} value={role} set={value => setRole(value as Role)} options={roles} error={fault?.about("role")} />
      <TextField label={t("invitations.message")} maxLength={300} value={message} set={setMessage} error={fault?.about("message")} />
      <SelectField label={t("enrollment.lasts")} value={days} set={setDays} options={[["1", t("enrollment.day")], ["7", t("enrollment.week")], ["30", t("enrollment.month")]]} />
    </FormDialog>
  );
}

/** Many at once, a line each: all of them or, where one is wrong, none. */
function InviteManyDialog({ roles, close, done, shown }: { roles: Roles; close: () => void; done: () => void; shown: (links: readonly Unsent[]) => void }) {
  const { t } = useWords();
  const [csv, setCSV] = useState(""), [role, setRole] = useState<Role>("member"), [fault, setFault] = useState<Fault | null>(null);
  const act = async () => {
    setFault(null);
    const { items } = await client.call("postInvitationsCsv", {}, { csv, role });
    done();
    const unsent = items.flatMap(({ email, link }) => link ? [{ email, link }] : []);
    if (unsent.length > 0) shown(unsent); else tell(t("invitations.sentMany", { count: items.length }));
  };
  const wrong = fault?.fields.flatMap(({ field, expected }) => {
    const line = /^csv\[(\d+)\]$/.exec(field)?.[1];
    return line ? [t("invitations.line", { line, expected })] : [];
  }).join(" · ");
  return (
    <FormDialog title={t("invitations.many")} submit={t("invitations.add")} close={close} act={act} failed={setFault} ready={csv.trim() !== ""}>
      <AreaField label={t("invitations.lines")} hint={t("invitations.linesHint")} rows={8} value={csv} set={setCSV} error={wrong || fault?.about("csv")} />
      <SelectField label={t("invitations.roleElse")} value={role} set={value => setRole(value as Role)} options={roles} error={fault?.about("role")} />
    </FormDialog>
  );
}

/** A link that is handed over by a person, as the server sends no mail. */
export function LinkDialog({ link, close }: { link: string; close: () => void }) {
  const { t } = useWords();
  return (
    <Dialog title={t("invitations.link")} close={close}>
      <p>{t("invitations.linkText")}</p>
      <Copy text={link} label={t("invitations.link")} />
      <div className="buttons"><Button onClick={close}>{t("close")}</Button></div>
    </Dialog>
  );
}

/** The same of several. */
function LinksDialog({ links, close }: { links: readonly Unsent[]; close: () => void }) {
  const { t } = useWords();
  return (
    <Dialog title={t("invitations.links")} close={close} wide>
      <p>{t("invitations.linksText")}</p>
      <ul className="stack">{links.map(one => <li key={one.email}><p>{one.email}</p><Copy text={one.link} label={t("invitations.linkOf", { email: one.email })} /></li>)}</ul>
      <div className="buttons"><Button onClick={close}>{t("close")}</Button></div>
    </Dialog>
  );
}
