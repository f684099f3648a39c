import { useState } from "react";
import type { Fault } from "../api/Fault";
import { access, client, useReading } from "../api/Server";
import { named } from "../app/Config";
import { Link } from "../app/Router";
import { Button, useAct } from "../design/Button";
import { FaultNote } from "../design/Fault";
import { TextField } from "../design/Field";
import { Read } from "../design/Page";
import { useWords } from "../text/Text";
import { Door } from "./Door";
import { SetupForm } from "./SetupForm";

/** The door: the first owner is made, or somebody signs in. */
export function EntryPage() {
  const { t } = useWords();
  const setup = useReading("getSetup", {});
  return (
    <Door title={t(setup.value?.ownerExists === false ? "setup.title" : "login.title")}>
      <Read of={setup}>{({ ownerExists }) => ownerExists ? <LoginForm /> : <><p className="muted">{t("setup.text")}</p><SetupForm /></>}</Read>
    </Door>
  );
}

/** @param again whose session is over, and where, where somebody signs in again. */
export function LoginForm({ again }: { again?: { email: string; organization: string } }) {
  const { t } = useWords();
  const [email, setEmail] = useState(again?.email ?? ""), [password, setPassword] = useState(""), [organization, setOrganization] = useState(again?.organization ?? named);
  const [fault, setFault] = useState<Fault | null>(null);
  // Asked for only where the address belongs to several; shown where the page's address names one.
  const [isOfSeveral, setOfSeveral] = useState(!again && named !== "");
  const { state, run } = useAct(async () => {
    access.enter(await client.call("postAuthLogin", {}, { email, password, ...(organization && { organization }) }));
  }, refusal => {
    setFault(refusal);
    if (refusal.kind === "conflict") setOfSeveral(true);
  });
  return (
    <form className="stack" onSubmit={event => { event.preventDefault(); setFault(null); void run(); }}>
      <TextField label={t("email")} name="email" type="email" autoComplete="username" required value={email} set={setEmail} readOnly={again !== undefined} error={fault?.about("email")} />
      <TextField label={t("password")} name="password" type="password" autoComplete="current-password" required value={password} set={setPassword} />
      {isOfSeveral
        ? <TextField label={t("login.organization")} hint={t("login.several")} name="organization" value={organization} set={setOrganization} error={fault?.about("organization")} />
        : !again && <button type="button" className="text" onClick={() => setOfSeveral(true)}>{t("login.choose")}</button>}
      {fault && <FaultNote fault={fault} />}
      <Button type="submit" look="primary" disabled={state === "busy"} aria-busy={state === "busy"}>{state === "busy" && <span className="spinner" />}{t("login.enter")}</Button>
      {!again && <><Link to="/forgot-password">{t("login.forgotten")}</Link><Link to="/register">{t("login.register")}</Link></>}
    </form>
  );
}
