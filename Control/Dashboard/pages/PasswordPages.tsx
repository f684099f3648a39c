import { useState } from "react";
import type { Fault } from "../api/Fault";
import { client, useReading } from "../api/Server";
import { Link } from "../app/Router";
import { Button, useAct } from "../design/Button";
import { FaultNote } from "../design/Fault";
import { TextField } from "../design/Field";
import { Read } from "../design/Page";
import { useWords } from "../text/Text";
import { Door, mailedToken } from "./Door";

/** Asks for a link by mail; says the same whether there is such an account or not. */
export function ForgottenPage() {
  const { t } = useWords();
  const setup = useReading("getSetup", {});
  return (
    <Door title={t("forgotten.title")}>
      <Read of={setup}>{({ sendsMail }) => sendsMail ? <ForgottenForm /> : <p>{t("forgotten.noMail")}</p>}</Read>
      <Link to="/">{t("forgotten.back")}</Link>
    </Door>
  );
}

function ForgottenForm() {
  const { t } = useWords();
  const [email, setEmail] = useState(""), [organization, setOrganization] = useState(""), [fault, setFault] = useState<Fault | null>(null), [isSent, setSent] = useState(false);
  const { state, run } = useAct(async () => {
    await client.call("postAuthPasswordReset", {}, { email, ...(organization && { organization }) });
    setSent(true);
  }, setFault);
  if (isSent) return <p role="status">{t("forgotten.sent", { email })}</p>;
  return (
    <form className="stack" onSubmit={event => { event.preventDefault(); setFault(null); void run(); }}>
      <p className="muted">{t("forgotten.text")}</p>
      <TextField label={t("email")} name="email" type="email" autoComplete="username" required value={email} set={setEmail} error={fault?.about("email")} />
      <TextField label={t("login.organization")} hint={t("login.several")} name="organization" value={organization} set={setOrganization} error={fault?.about("organization")} />
      {fault && <FaultNote fault={fault} />}
      <Button type="submit" look="primary" disabled={state === "busy"} aria-busy={state === "busy"}>{state === "busy" && <span className="spinner" />}{t("forgotten.send")}</Button>
    </form>
  );
}

/** Where the mailed link leads: a new password. */
export function ResetPage() {
  const { t } = useWords();
  const [token] = useState(mailedToken), [password, setPassword] = useState(""), [fault, setFault] = useState<Fault | null>(null), [isDone, setDone] = useState(false);
  const { state, run } = useAct(async () => {
    await client.call("putAuthPasswordReset", {}, { token, password });
    setDone(true);
  }, setFault);
  if (isDone) return <Door title={t("reset.done")}><p>{t("reset.doneText")}</p><Link className="button primary" to="/">{t("login.enter")}</Link></Door>;
  if (token === "" || fault?.status === 410) {
    return <Door title={t("reset.gone")}><p>{t("reset.goneText")}</p><Link className="button primary" to="/forgot-password">{t("forgotten.send")}</Link></Door>;
  }
  return (
    <Door title={t("reset.title")}>
      <form className="stack" onSubmit={event => { event.preventDefault(); setFault(null); void run(); }}>
        <TextField label={t("password.new")} hint={t("password.hint")} name="password" type="password" autoComplete="new-password" minLength={10} maxLength={200} required value={password} set={setPassword} error={fault?.about("password")} />
        {fault && <FaultNote fault={fault} />}
        <Button type="submit" look="primary" disabled={state === "busy"} aria-busy={state === "busy"}>{state === "busy" && <span className="spinner" />}{t("reset.set")}</Button>
      </form>
    </Door>
  );
}
