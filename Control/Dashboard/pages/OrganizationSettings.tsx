import { useState } from "react";
import type { Fault } from "../api/Fault";
import { access, client, useMay, useSession } from "../api/Server";
import { go } from "../app/Router";
import type { ChangeSettingsRequest, Settings } from "../api/Schema";
import { ActButton, Button } from "../design/Button";
import { Copy } from "../design/Copy";
import { ConfirmDialog } from "../design/Dialog";
import { SelectField, TextField } from "../design/Field";
import { Card } from "../design/Page";
import { tellFault } from "../design/Toast";
import { useWords } from "../text/Text";
import { Changes } from "./Changes";
import { WordingCard } from "./WordingCard";

type TabProps = { settings: Settings; changed: (settings: Settings) => void };

const save = async (change: object) => client.call("patchOrganizationSettings", {}, change as ChangeSettingsRequest);

/** What the organisation is called. */
export function GeneralTab({ settings, changed, slug }: TabProps & { slug: string }) {
  const { t } = useWords();
  const may = useMay(), { name } = settings;
  return <>
    <Changes of={{ name }} send={async change => changed(await save(change))}>{(values, put, fault) => <>
      <TextField label={t("name")} required maxLength={100} value={values.name} set={name => put({ name })} error={fault?.about("name")} />
      <TextField label={t("setup.slug")} hint={t("settings.slugHint")} readOnly value={slug} set={() => undefined} />
    </>}</Changes>
    {may("organization.delete") && <Deletion slug={slug} />}
  </>;
}

/** What the pages speak, and in whose words. */
export function LanguageTab({ settings, changed }: TabProps) {
  const { t } = useWords();
  return <>
    <Changes of={{ locale: settings.locale }} send={async change => changed(await save(change))}>{(values, put, fault) => (
      <SelectField label={t("settings.locale")} hint={t("settings.localeHint")} value={values.locale} set={locale => put({ locale: locale as Settings["locale"] })} error={fault?.about("locale")}
        options={[["auto", t("settings.locale.auto")], ["en-US", t("settings.locale.en")], ["de-DE", t("settings.locale.de")]]} />
    )}</Changes>
    <WordingCard />
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
    <Changes of={{ registration: settings.registration, terms: settings.terms ?? "", termsURL: settings.termsURL ?? "" }} send={async change => changed(await save(change))}>{(values, put, fault) => <>
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
