import { useEffect, useState } from "react";
import type { Fault } from "../api/Fault";
import { access, asFault, client } from "../api/Server";
import type { Answer } from "../api/Client";
import { go, Link } from "../app/Router";
import { Button, useAct } from "../design/Button";
import { FaultNote } from "../design/Fault";
import { TextField } from "../design/Field";
import { Skeleton } from "../design/Page";
import { useWords } from "../text/Text";
import { Door, mailedToken } from "./Door";

type Offer = Answer<"postAuthInvitation">;

/** Where an invitation's link leads: who invites, and the account that somebody makes of it. */
export function InvitationPage() {
  const { t } = useWords();
  const [token] = useState(mailedToken), [offer, setOffer] = useState<Offer | null>(null), [fault, setFault] = useState<Fault | null>(null), [times, setTimes] = useState(0);
  useEffect(() => {
    if (token === "") return;
    setFault(null);
    client.call("postAuthInvitation", {}, { token }).then(setOffer, (thrown: unknown) => setFault(asFault(thrown)));
  }, [token, times]);
  if (token === "" || fault?.status === 410) return <Door title={t("invitation.gone")}><p>{t("invitation.goneText")}</p><Link className="button primary" to="/">{t("login.enter")}</Link></Door>;
  if (fault) return <Door title={t("invitation.title")}><FaultNote fault={fault} again={() => setTimes(times + 1)} /></Door>;
  return <Door title={t("invitation.title")}>{offer ? <Accept token={token} offer={offer} gone={setFault} /> : <Skeleton />}</Door>;
}

function Accept({ token, offer, gone }: { token: string; offer: Offer; gone: (fault: Fault) => void }) {
  const { t, time } = useWords();
  const [displayName, setName] = useState(""), [password, setPassword] = useState(""), [fault, setFault] = useState<Fault | null>(null);
  const { state, run } = useAct(async () => {
    access.enter(await client.call("postAuthInvitationAccept", {}, { token, displayName, password }));
    go("/", "replace");
  }, refusal => { if (refusal.status === 410) gone(refusal); else setFault(refusal); });
  return (
    <form className="stack" onSubmit={event => { event.preventDefault(); setFault(null); void run(); }}>
      <p>{t("invitation.text", { organization: offer.organization, role: t(`role.${offer.role}`) })}</p>
      <p className="muted">{t("invitation.until", { time: time(offer.expiresAt) })}</p>
      <TextField label={t("email")} name="email" type="email" autoComplete="username" readOnly value={offer.email} set={() => undefined} />
      <TextField label={t("setup.name")} name="displayName" autoComplete="name" required maxLength={100} value={displayName} set={setName} error={fault?.about("displayName")} />
      <TextField label={t("password")} hint={t("password.hint")} name="password" type="password" autoComplete="new-password" minLength={10} maxLength={200} required value={password} set={setPassword} error={fault?.about("password")} />
      {fault && <FaultNote fault={fault} />}
      {fault?.kind === "conflict" && <Link to="/">{t("login.enter")}</Link>}
      <Button type="submit" look="primary" disabled={state === "busy"} aria-busy={state === "busy"}>{state === "busy" && <span className="spinner" />}{t("invitation.accept")}</Button>
    </form>
  );
}
