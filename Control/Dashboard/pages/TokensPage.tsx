import { useState } from "react";
import type { Action } from "../api/Access";
import type { Answer } from "../api/Client";
import { clock } from "../api/Clock";
import type { Fault } from "../api/Fault";
import { client, useMay, useReading, useSession } from "../api/Server";
import { Badge } from "../design/Badge";
import { Button } from "../design/Button";
import { Copy } from "../design/Copy";
import { ConfirmDialog, Dialog, FormDialog } from "../design/Dialog";
import { Choice, SelectField, TextField } from "../design/Field";
import { Card, Empty, Page, Read } from "../design/Page";
import { Table } from "../design/Table";
import { useWords } from "../text/Text";

type Token = Answer<"getApiTokens">["items"][number];
type Scope = Token["scopes"][number];

/** The scopes, and what each is there for: who may not do that makes no token with it. */
const purposes: readonly (readonly [Scope, Action])[] = [
  ["read", "organization.view"], ["broadcasts", "broadcasts.run"], ["senders", "senders.manage"],
  ["destinations", "destinations.manage"], ["members", "users.manage"], ["audit", "audit.view"],
];

/** API tokens: for programs that act in one's place. An admin sees those of everybody. */
export const TokensPage = () => useMay()("users.manage") ? <AllTokens /> : <Tokens />;

function AllTokens() {
  const users = useReading("getUsers", {});
  return <Tokens whose={id => users.value?.items.find(one => one.id === id)?.displayName ?? id} />;
}

/** @param whose names a token's user, where there are others'. */
function Tokens({ whose }: { whose?: (user: string) => string }) {
  const { t, time, ago } = useWords();
  const tokens = useReading("getApiTokens", {}), { again } = tokens;
  const [isMaking, setMaking] = useState(false), [made, setMade] = useState<Token | null>(null), [ended, setEnded] = useState<Token | null>(null);
  const make = <Button look="primary" onClick={() => setMaking(true)}>{t("tokens.make")}</Button>;
  const isOver = (one: Token) => Date.parse(one.expiresAt) <= clock.now();
  const end = async (one: Token) => { await client.call("deleteApiTokensById", { id: one.id }); again(); };
  return (
    <Page title={t("nav.tokens")} actions={make}>
      <Read of={tokens}>{({ items }) => items.length === 0 ? <Empty title={t("tokens.none")} action={make}>{t("tokens.noneText")}</Empty> : (
        <Card>
          <Table label={t("nav.tokens")} rows={items} id={one => one.id} columns={[
            { id: "name", title: t("name"), heads: true, cell: one => one.name },
            ...(whose ? [{ id: "user", title: t("tokens.user"), cell: (one: Token) => whose(one.user) }] : []),
            { id: "scopes", title: t("tokens.scopes"), cell: one => one.scopes.map(scope => t(`tokens.scope.${scope}`)).join(", ") },
            { id: "used", title: t("sessions.used"), cell: one => one.lastUsedAt ? t("tokens.usedFrom", { ago: ago(one.lastUsedAt), address: one.lastAddress ?? "" }) : t("tokens.unused") },
            { id: "expires", title: t("enrollment.expires"), short: true, cell: one => isOver(one) ? <Badge tone="warn">{t("enrollment.expired")}</Badge> : time(one.expiresAt) },
            { id: "act", title: t("actions"), cell: one => <Button small look="quiet" onClick={() => setEnded(one)} aria-label={t("tokens.endOf", { name: one.name })}>{t("sessions.end")}</Button> },
          ]} />
        </Card>
      )}</Read>
      {isMaking && <MakeDialog close={() => setMaking(false)} done={token => { setMade(token); again(); }} />}
      {made && (
        <Dialog title={t("tokens.made", { name: made.name })} close={() => setMade(null)}>
          <p>{t("tokens.once")}</p>
          <Copy text={made.token ?? ""} label={t("tokens.token")} />
          <div className="buttons"><Button onClick={() => setMade(null)}>{t("close")}</Button></div>
        </Dialog>
      )}
      {ended && <ConfirmDialog title={t("tokens.endOf", { name: ended.name })} submit={t("sessions.end")} close={() => setEnded(null)} act={() => end(ended)}><p>{t("tokens.endText")}</p></ConfirmDialog>}
    </Page>
  );
}

function MakeDialog({ close, done }: { close: () => void; done: (token: Token) => void }) {
  const { t } = useWords();
  const may = useMay(), { user } = useSession();
  const [name, setName] = useState(""), [days, setDays] = useState("90"), [password, setPassword] = useState(""), [fault, setFault] = useState<Fault | null>(null);
  const [chosen, setChosen] = useState<ReadonlySet<Scope>>(new Set<Scope>(["read"]));
  const tick = (scope: Scope, isIn: boolean) => setChosen(new Set(purposes.map(([one]) => one).filter(one => one === scope ? isIn : chosen.has(one))));
  const act = async () => {
    setFault(null);
    done(await client.call("postApiTokens", {}, { name, scopes: [...chosen], expiresInSeconds: Number(days) * 86_400, password }));
  };
  return (
    <FormDialog title={t("tokens.make")} submit={t("tokens.make")} close={close} act={act} failed={setFault} ready={chosen.size > 0}>
      <TextField label={t("tokens.name")} hint={t("tokens.nameHint")} required maxLength={100} autoComplete="off" value={name} set={setName} error={fault?.about("name")} />
      <fieldset className="choices">
        <legend>{t("tokens.scopes")}</legend>
        {purposes.filter(([, action]) => may(action)).map(([scope]) => (
          <Choice key={scope} label={t(`tokens.scope.${scope}`)} hint={t(`tokens.scope.${scope}.text`)} checked={chosen.has(scope)} set={isIn => tick(scope, isIn)} />
        ))}
      </fieldset>
      <SelectField label={t("enrollment.lasts")} value={days} set={setDays} options={[["7", t("enrollment.week")], ["30", t("enrollment.month")], ["90", t("tokens.quarter")], ["365", t("tokens.year")]]} />
      <input type="hidden" name="username" autoComplete="username" value={user.email} readOnly />
      <TextField label={t("tokens.password")} hint={t("tokens.passwordHint")} type="password" autoComplete="current-password" required value={password} set={setPassword} error={fault?.about("password")} />
    </FormDialog>
  );
}
