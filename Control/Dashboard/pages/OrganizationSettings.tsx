import { useState, type ReactNode } from "react";
import type { Fault } from "../api/Fault";
import { access, client, useMay, useSession } from "../api/Server";
import { go } from "../app/Router";
import type { ChangeSettingsRequest, Settings } from "../api/Schema";
import { ActButton, Button, useAct } from "../design/Button";
import { Copy } from "../design/Copy";
import { ConfirmDialog } from "../design/Dialog";
import { FaultNote } from "../design/Fault";
import { SelectField, TextField } from "../design/Field";
import { Card } from "../design/Page";
import { tell, tellFault } from "../design/Toast";
import { useWords } from "../text/Text";

type TabProps = { settings: Settings; changed: (settings: Settings) => void };

/** What its pages are called and speak. */
export function GeneralTab({ settings, changed, slug }: TabProps & { slug: string }) {
  const { t } = useWords();
  const may = useMay(), { name, locale } = settings;
  return <>
    <Changes of={{ name, locale }} changed={changed}>{(values, put, fault) => <>
      <TextField label={t("name")} required maxLength={100} value={values.name} set={name => put({ name })} error={fault?.about("name")} />
      <TextField label={t("setup.slug")} hint={t("settings.slugHint")} readOnly value={slug} set={() => undefined} />
      <SelectField label={t("settings.locale")} hint={t("settings.localeHint")} value={values.locale} set={locale => put({ locale: locale as Settings["locale"] })} error={fault?.about("locale")}
        options={[["auto", t("settings.locale.auto")], ["en-US", t("settings.locale.en")], ["de-DE", t("settings.locale.de")]]} />
    </>}</Changes>
    {may("organization.delete") && <Deletion slug={slug} />}
  </>;
}

/** Asks the owner twice, and for the password. */
function Deletion({ slug }: { slug: string }) {
  const { t } = useWords();
  const { user } = useSession();
  const [isAsking, setAsking] = useState(false), [password, setPassword] = useState(""), [fault, setFault] = useState<Fault | null>(null);
  const act = async () => {
    setFault(null);
    await client.call("deleteOrganization", {}, { organization: slug, password });
    access.leave();
    go("/");
  };
  return (
    <Card title={t("settings.delete")}>
      <p className="muted">{t("settings.deleteText")}</p>
      <div className="buttons"><Button look="grave" onClick={() => setAsking(true)}>{t("settings.delete")}</Button></div>
      {isAsking && (
        <ConfirmDialog title={t("settings.delete")} submit={t("settings.deleteNow")} typed={slug} close={() => setAsking(false)} act={act} failed={setFault}>
          <p>{t("settings.deleteText")}</p>
          <input type="hidden" name="username" autoComplete="username" value={user.email} readOnly />
          <TextField label={t("tokens.password")} type="password" autoComplete="current-password" required value={password} set={setPassword} error={fault?.about("password")} />
        </ConfirmDialog>
      )}
    </Card>
  );
}

/** Who may become a member without an invitation, and what they agree to. */
export function RegistrationTab({ settings, changed }: TabProps) {
  const { t } = useWords();
  const renew = async () => changed(await client.call("patchOrganizationSettings", {}, { newCode: true }));
  return <>
    <Changes of={{ registration: settings.registration, terms: settings.terms ?? "", termsURL: settings.termsURL ?? "" }} changed={changed}>{(values, put, fault) => <>
      <SelectField label={t("settings.registration")} hint={t(`settings.registration.${values.registration}.text`)} value={values.registration} set={registration => put({ registration: registration as Settings["registration"] })}
        options={[["invite_only", t("settings.registration.invite_only")], ["open", t("settings.registration.open")]]} error={fault?.about("registration")} />
      <TextField label={t("settings.terms")} hint={t("settings.termsHint")} maxLength={300} value={values.terms} set={terms => put({ terms })} error={fault?.about("terms")} />
      <TextField label={t("settings.termsURL")} type="url" pattern="https://.*" maxLength={500} value={values.termsURL} set={termsURL => put({ termsURL })} error={fault?.about("termsURL")} />
    </>}</Changes>
    {settings.code && settings.link && (
      <Card title={t("settings.code")} actions={<ActButton small act={renew} failed={tellFault}>{t("settings.newCode")}</ActButton>}>
        <p className="muted">{t("settings.codeText")}</p>
        <Copy text={settings.link} label={t("settings.link")} />
        <Copy text={settings.code} label={t("settings.code")} />
      </Card>
    )}
  </>;
}

type ChangesProps<Values> = {
  of: Values;
  changed: (settings: Settings) => void;
  children: (values: Values, put: (change: Partial<Values>) => void, fault: Fault | null) => ReactNode;
};

/** A form that sends what is another value than was read, and nothing else: what somebody else has changed meanwhile stays as they left it. */
function Changes<Values extends Partial<Settings>>({ of, changed, children }: ChangesProps<Values>) {
  const { t } = useWords();
  const [put, setPut] = useState<Partial<Values>>({}), [fault, setFault] = useState<Fault | null>(null);
  const values = { ...of, ...put };
  const keys = (Object.keys(of) as (keyof Values)[]).filter(key => values[key] !== of[key]), isSame = keys.length === 0;
  const { state, run } = useAct(async () => {
    const difference: Record<string, unknown> = Object.fromEntries(keys.map(key => [key, values[key]]));
    changed(await client.call("patchOrganizationSettings", {}, difference as ChangeSettingsRequest));
    setPut({});
    tell(t("saved"));
  }, setFault);
  return (
    <Card>
      <form className="stack narrow" onSubmit={event => { event.preventDefault(); setFault(null); void run(); }}>
        {children(values, change => setPut(before => ({ ...before, ...change })), fault)}
        {fault && <FaultNote fault={fault} />}
        <div className="buttons">
          <Button disabled={isSame || state === "busy"} onClick={() => { setPut({}); setFault(null); }}>{t("configuration.undo")}</Button>
          <Button type="submit" look="primary" disabled={isSame || state === "busy"} aria-busy={state === "busy"}>{t("save")}</Button>
        </div>
      </form>
    </Card>
  );
}
