import { useState } from "react";
import type { Fault } from "../api/Fault";
import { access, client } from "../api/Server";
import { Button, useAct } from "../design/Button";
import { FaultNote } from "../design/Fault";
import { TextField } from "../design/Field";
import { useWords } from "../text/Text";

/** What an organisation's short name is proposed to be. */
const slug = (name: string) => name.toLowerCase().normalize("NFKD").replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 40).replace(/-+$/, "");

/** The first owner, by the setup secret. */
export function SetupForm() {
  const { t } = useWords();
  const [fields, setFields] = useState({ setupSecret: "", organizationName: "", organizationSlug: "", displayName: "", email: "", password: "" });
  const [fault, setFault] = useState<Fault | null>(null);
  const put = (change: Partial<typeof fields>) => setFields(before => ({ ...before, ...change }));
  const rename = (organizationName: string) =>
    put({ organizationName, ...(fields.organizationSlug === slug(fields.organizationName) && { organizationSlug: slug(organizationName) }) });
  const { state, run } = useAct(async () => access.enter(await client.call("postAuthRegister", {}, { ...fields, setupSecret: fields.setupSecret.trim() })), setFault);
  const about = (field: string) => fault?.about(field);
  return (
    <form className="stack" onSubmit={event => { event.preventDefault(); setFault(null); void run(); }}>
      <TextField label={t("setup.secret")} hint={t("setup.secretHint")} name="setupSecret" type="password" autoComplete="off" required value={fields.setupSecret} set={setupSecret => put({ setupSecret })} error={about("setupSecret")} />
      <TextField label={t("setup.organization")} name="organizationName" required maxLength={100} value={fields.organizationName} set={rename} error={about("organizationName")} />
      <TextField label={t("setup.slug")} hint={t("setup.slugHint")} name="organizationSlug" required pattern="[a-z0-9]+(-[a-z0-9]+)*" minLength={2} maxLength={40} value={fields.organizationSlug} set={organizationSlug => put({ organizationSlug })} error={about("organizationSlug")} />
      <TextField label={t("setup.name")} name="displayName" autoComplete="name" required maxLength={100} value={fields.displayName} set={displayName => put({ displayName })} error={about("displayName")} />
      <TextField label={t("email")} name="email" type="email" autoComplete="username" required value={fields.email} set={email => put({ email })} error={about("email")} />
      <TextField label={t("password")} hint={t("password.hint")} name="password" type="password" autoComplete="new-password" minLength={10} maxLength={200} required value={fields.password} set={password => put({ password })} error={about("password")} />
      {fault && <FaultNote fault={fault} />}
      <Button type="submit" look="primary" disabled={state === "busy"} aria-busy={state === "busy"}>{state === "busy" && <span className="spinner" />}{t("setup.create")}</Button>
    </form>
  );
}
