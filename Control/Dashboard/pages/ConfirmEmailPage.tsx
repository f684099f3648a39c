import { useState } from "react";
import type { Fault } from "../api/Fault";
import { access, client } from "../api/Server";
import { Link } from "../app/Router";
import { Button, useAct } from "../design/Button";
import { FaultNote } from "../design/Fault";
import { useWords } from "../text/Text";
import { Door, mailedToken } from "./Door";

/** Makes a mail address one's own by the link that was mailed there: a press and not the page itself, as programs follow links of mails too. */
export function ConfirmEmailPage() {
  const { t } = useWords();
  const [token] = useState(mailedToken), [isDone, setDone] = useState(false), [fault, setFault] = useState<Fault | null>(null);
  const { state, run } = useAct(async () => {
    await client.call("putAuthEmail", {}, { token });
    setDone(true);
    if (access.token !== null) access.know(await client.call("getAuthMe", {}));
  }, setFault);
  return (
    <Door title={t("confirmEmail.title")}>
      {isDone ? <p role="status">{t("confirmEmail.done")}</p> : <>
        <p>{t("confirmEmail.text")}</p>
        {fault && <FaultNote fault={fault} />}
        <Button look="primary" disabled={state === "busy"} aria-busy={state === "busy"} onClick={() => { setFault(null); void run(); }}>{t("confirmEmail.confirm")}</Button>
      </>}
      <Link to="/">{t("forgotten.back")}</Link>
    </Door>
  );
}
