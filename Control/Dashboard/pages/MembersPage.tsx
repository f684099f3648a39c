import { useState } from "react";
import type { Fault } from "../api/Fault";
import { client, useMay, useReading, useSession } from "../api/Server";
import type { User } from "../api/Schema";
import { rename } from "../app/Router";
import { Badge } from "../design/Badge";
import { Button } from "../design/Button";
import { ConfirmDialog, FormDialog } from "../design/Dialog";
import { SelectField, TextField } from "../design/Field";
import { Card, Page, Read } from "../design/Page";
import { Table } from "../design/Table";
import { tell } from "../design/Toast";
import { useWords } from "../text/Text";
import { Invitations, LinkDialog } from "./Invitations";

type Role = User["role"];
const ranks: Record<Role, number> = { owner: 5, admin: 4, host: 3, member: 2 };

/** Who belongs to the organisation, and what they may. @param invite begins with the question whom to invite. */
export function MembersPage({ invite = false }: { invite?: boolean }) {
  const { t } = useWords();
  const may = useMay(), { user: self } = useSession(), users = useReading("getUsers", {});
  const [edited, setEdited] = useState<User | "new" | null>(null), [shut, setShut] = useState<User | null>(null), [heir, setHeir] = useState<User | null>(null), [removed, setRemoved] = useState<User | null>(null);
  const manages = (one: User) => may("users.manage") && ranks[self.role] > ranks[one.role];
  const [invites, setInvites] = useState<"one" | "many" | null>(invite ? "one" : null), [forgot, setForgot] = useState<User | null>(null), [link, setLink] = useState<string | null>(null);
  const isManager = may("users.manage");
  const invited = () => {
    setInvites(null);
    if (invite) rename("/admin/members");
  };
  const roles = (["admin", "host", "member"] as const).filter(one => ranks[one] < ranks[self.role]).map(one => [one, t(`role.${one}`)] as const);
  const add = isManager && <>
    <Button look="quiet" onClick={() => setInvites("many")}>{t("invitations.many")}</Button>
    <Button onClick={() => setEdited("new")}>{t("members.add")}</Button>
    <Button look="primary" onClick={() => setInvites("one")}>{t("invitations.add")}</Button>
  </>;
  const sendLink = async (one: User) => {
    const answer = await client.call("postUsersByIdPasswordReset", { id: one.id });
    if (answer.link) setLink(answer.link); else tell(t("members.linkSent", { email: one.email }));
  };
  const change = async (one: User, active: boolean) => { await client.call("patchUsersById", { id: one.id }, { active }); users.again(); };
  return (
    <Page title={t("nav.members")} actions={add}>
      <Read of={users}>{({ items }) => (
        <Card>
          <Table label={t("nav.members")} rows={items} id={one => one.id} columns={[
            { id: "name", title: t("name"), heads: true, cell: one => <>{one.displayName}{one.id === self.id && <span className="muted"> {t("members.you")}</span>}</> },
            { id: "email", title: t("email"), cell: one => one.email },
            { id: "role", title: t("members.role"), cell: one => t(`role.${one.role}`) },
            { id: "state", title: t("state"), cell: one => <Badge tone={one.active ? "good" : "bad"}>{t(one.active ? "members.active" : "members.shut")}</Badge> },
            { id: "act", title: t("actions"), cell: one => manages(one) && (
              <div className="buttons">
                <Button small onClick={() => setEdited(one)} aria-label={t("editOf", { name: one.displayName })}>{t("edit")}</Button>
                <Button small look="quiet" onClick={() => setShut(one)} aria-label={t(one.active ? "members.shutOf" : "members.letInOf", { name: one.displayName })}>{t(one.active ? "members.shutOut" : "members.letIn")}</Button>
                {one.active && <Button small look="quiet" onClick={() => setForgot(one)} aria-label={t("members.linkFor", { name: one.displayName })}>{t("members.link")}</Button>}
                {may("organization.transfer") && one.active && <Button small look="quiet" onClick={() => setHeir(one)} aria-label={t("members.transferOf", { name: one.displayName })}>{t("members.transfer")}</Button>}
                <Button small look="quiet" onClick={() => setRemoved(one)} aria-label={t("removeOf", { name: one.displayName })}>{t("remove")}</Button>
              </div>
            ) },
          ]} />
        </Card>
      )}</Read>
      {isManager && <Invitations roles={roles} asked={invites} close={invited} shown={setLink} />}
      {forgot && <ConfirmDialog title={t("members.linkFor", { name: forgot.displayName })} submit={t("members.link")} close={() => setForgot(null)} act={() => sendLink(forgot)}><p>{t("members.linkText")}</p></ConfirmDialog>}
      {link && <LinkDialog link={link} close={() => setLink(null)} />}
      {edited && <MemberDialog user={edited === "new" ? undefined : edited} below={ranks[self.role]} close={() => setEdited(null)} done={users.again} />}
      {shut && <ConfirmDialog title={t(shut.active ? "members.shutOf" : "members.letInOf", { name: shut.displayName })} submit={t(shut.active ? "members.shutOut" : "members.letIn")} close={() => setShut(null)} act={() => change(shut, !shut.active)}><p>{t(shut.active ? "members.shutText" : "members.letInText")}</p></ConfirmDialog>}
      {removed && <ConfirmDialog title={t("members.removeTitle", { name: removed.displayName })} submit={t("remove")} close={() => setRemoved(null)}
        act={async () => { await client.call("deleteUsersById", { id: removed.id }); users.again(); }}><p>{t("members.removeText", { email: removed.email })}</p></ConfirmDialog>}
      {heir && <TransferDialog heir={heir} close={() => setHeir(null)} />}
    </Page>
  );
}

/** Asks the owner twice, and for the password. */
function TransferDialog({ heir, close }: { heir: User; close: () => void }) {
  const { t } = useWords();
  const { user } = useSession();
  const [password, setPassword] = useState(""), [fault, setFault] = useState<Fault | null>(null);
  const act = async () => {
    setFault(null);
    await client.call("putOrganizationOwner", {}, { user: heir.id, password });
    location.reload();
  };
  return (
    <ConfirmDialog title={t("members.transferOf", { name: heir.displayName })} submit={t("members.transfer")} typed={heir.email} close={close} act={act} failed={setFault}>
      <p>{t("members.transferText")}</p>
      <input type="hidden" name="username" autoComplete="username" value={user.email} readOnly />
      <TextField label={t("tokens.password")} type="password" autoComplete="current-password" required value={password} set={setPassword} error={fault?.about("password")} />
    </ConfirmDialog>
  );
}

function MemberDialog({ user, below, close, done }: { user?: User; below: number; close: () => void; done: () => void }) {
  const { t } = useWords();
  const [email, setEmail] = useState(""), [displayName, setName] = useState(user?.displayName ?? ""), [password, setPassword] = useState("");
  const [role, setRole] = useState<"member" | "host" | "admin">(user && user.role !== "owner" ? user.role : "host"), [fault, setFault] = useState<Fault | null>(null);
  const roles = (["admin", "host", "member"] as const).filter(one => ranks[one] < below).map(one => [one, t(`role.${one}`)] as const);
  const act = async () => {
    setFault(null);
    await (user ? client.call("patchUsersById", { id: user.id }, { displayName, role }) : client.call("postUsers", {}, { email, displayName, role, password }));
    done();
  };
  return (
    <FormDialog title={user ? t("editOf", { name: user.displayName }) : t("members.add")} submit={t("save")} close={close} act={act} failed={setFault}>
      <TextField label={t("setup.name")} value={displayName} set={setName} required maxLength={100} error={fault?.about("displayName")} />
      {!user && <TextField label={t("email")} type="email" autoComplete="off" required value={email} set={setEmail} error={fault?.about("email")} />}
      <SelectField label={t("members.role")} hint={t(`role.${role}.text`)} value={role} set={value => setRole(value as typeof role)} options={roles} error={fault?.about("role")} />
      {!user && <TextField label={t("members.password")} hint={t("password.hint")} type="password" autoComplete="new-password" minLength={10} required value={password} set={setPassword} error={fault?.about("password")} />}
    </FormDialog>
  );
}
