import { useEffect, useRef, useState } from "react";
import type { Answer } from "../api/Client";
import type { Fault } from "../api/Fault";
import { client } from "../api/Server";
import { go, Link } from "../app/Router";
import { Button, useAct } from "../design/Button";
import { FaultNote } from "../design/Fault";
import { Choice, TextField } from "../design/Field";
import { useWords } from "../text/Text";
import { Door } from "./Door";

type Offer = Answer<"postAuthRegistration">;
type Shown = { organization: string; code: string };

/** Where somebody registers with an organisation by its code, which a link may bring behind the `#`. */
export function RegisterPage() {
  const { t } = useWords();
  const [shown, setShown] = useState(linked), [isLinked] = useState(shown.organization !== "" && shown.code !== "");
  const [offer, setOffer] = useState<Offer | null>(null), [fault, setFault] = useState<Fault | null>(null);
  const { state, run } = useAct(async () => setOffer(await client.call("postAuthRegistration", {}, shown)), setFault);
  // A link brings both: nothing is left to be asked.
  const begin = useRef(run);
  useEffect(() => { if (isLinked) void begin.current(); }, [isLinked]);
  if (offer) return <Door title={t("register.title")}><Ask shown={shown} offer={offer} /></Door>;
  return (
    <Door title={t("register.title")}>
      <form className="stack" onSubmit={event => { event.preventDefault(); setFault(null); void run(); }}>
        <p className="muted">{t("register.text")}</p>
        <TextField label={t("register.organization")} required minLength={2} maxLength={40} autoComplete="off" value={shown.organization} set={organization => setShown({ ...shown, organization })} error={fault?.about("organization")} />
        <TextField label={t("register.code")} required maxLength={64} autoComplete="off" value={shown.code} set={code => setShown({ ...shown, code })} error={fault?.about("code")} />
        {fault && <FaultNote fault={fault} />}
        <Button type="submit" look="primary" disabled={state === "busy"} aria-busy={state === "busy"}>{state === "busy" && <span className="spinner" />}{t("register.next")}</Button>
        <Link to="/">{t("forgotten.back")}</Link>
      </form>
    </Door>
  );
}

/** What stands behind the `#`, which no server is sent; it is out of the address bar at once. */
function linked(): Shown {
  const values = new URLSearchParams(location.hash.slice(1));
  if (location.hash !== "") window.history.replaceState(null, "", location.pathname);
  return { organization: values.get("organization") ?? "", code: values.get("code") ?? "" };
}

/** The address, and agreement to the terms, where there are any. */
function Ask({ shown, offer }: { shown: Shown; offer: Offer }) {
  const { t } = useWords();
  const [email, setEmail] = useState(""), [agrees, setAgrees] = useState(false), [isSent, setSent] = useState(false), [fault, setFault] = useState<Fault | null>(null);
  const hasTerms = Boolean(offer.terms || offer.termsURL);
  const { state, run } = useAct(async () => {
    const { link } = await client.call("postAuthRegistrationRequest", {}, { ...shown, email, agrees });
    // The server sends no mail: what would be in it goes on from here.
    if (link) {
      const { pathname, hash } = new URL(link);
      go(pathname + hash, "replace");
    } else setSent(true);
  }, setFault);
  if (isSent) return <><p>{t("register.sent", { email })}</p><Link to="/">{t("forgotten.back")}</Link></>;
  return (
    <form className="stack" onSubmit={event => { event.preventDefault(); setFault(null); void run(); }}>
      <p>{t("register.with", { organization: offer.organization })}</p>
      <TextField label={t("email")} name="email" type="email" autoComplete="username" required value={email} set={setEmail} error={fault?.about("email")} />
      {hasTerms && <Choice label={offer.terms || t("register.agree")} checked={agrees} set={setAgrees} />}
      {offer.termsURL && <a href={offer.termsURL} target="_blank" rel="noreferrer noopener">{t("register.read")}</a>}
      {fault && <FaultNote fault={fault} />}
      <Button type="submit" look="primary" disabled={state === "busy" || (hasTerms && !agrees)} aria-busy={state === "busy"}>{state === "busy" && <span className="spinner" />}{t("register.send")}</Button>
    </form>
  );
}
