import { useEffect, useState } from "react";
import type { Fault } from "../api/Fault";
import type { Destination, DestinationTest } from "../api/Schema";
import { client } from "../api/Server";
import { Badge } from "../design/Badge";
import { Button, useAct } from "../design/Button";
import { Dialog } from "../design/Dialog";
import { FaultNote } from "../design/Fault";
import { useWords } from "../text/Text";

/** Tries a destination from a pool host, and says step by step what came of it. */
export function DestinationTestDialog({ destination, close }: { destination: Destination; close: () => void }) {
  const { t } = useWords();
  const [result, setResult] = useState<DestinationTest | null>(null), [fault, setFault] = useState<Fault | null>(null);
  const { state, run } = useAct(async () => setResult(await client.call("postDestinationsByIdTest", { id: destination.id })), setFault);
  const again = () => { setResult(null); setFault(null); void run(); };
  useEffect(() => void run(), []);
  const isBusy = state === "busy";
  return (
    <Dialog title={t("destinations.testOf", { name: destination.name })} close={close}>
      <div className="stack">
        <div className="stack" role="status">
          {isBusy && <p><span className="spinner" />{t("destinations.testing")}</p>}
          {result && <p><strong>{t(result.succeeded ? "destinations.tested" : "destinations.untaken", { name: destination.name })}</strong></p>}
          {result && <ol className="plain">{result.steps.map(one => (
            <li key={one.step}>
              <Badge tone={one.passed ? "good" : "bad"}>{t(one.passed ? "yes" : "no")}</Badge> {t(`destinations.step.${one.step}`)}
              {one.reason && <p className="muted">{one.reason}</p>}
            </li>
          ))}</ol>}
        </div>
        {fault && <FaultNote fault={fault} />}
        <div className="buttons">
          <Button onClick={again} disabled={isBusy}>{t("destinations.testAgain")}</Button>
          <Button look="primary" onClick={close}>{t("close")}</Button>
        </div>
      </div>
    </Dialog>
  );
}
