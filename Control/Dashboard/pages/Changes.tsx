import { useState, type ReactNode } from "react";
import type { Fault } from "../api/Fault";
import { Button, useAct } from "../design/Button";
import { FaultNote } from "../design/Fault";
import { Card } from "../design/Page";
import { tell } from "../design/Toast";
import { useWords } from "../text/Text";

type ChangesProps<Values> = {
  of: Values;
  /** Throws what the server refused. */
  send: (difference: Partial<Values>) => Promise<void>;
  children: (values: Values, put: (change: Partial<Values>) => void, fault: Fault | null) => ReactNode;
  /** What stands beside the form: what it would be like. */
  beside?: (values: Values) => ReactNode;
};

/** A form that sends what is another value than was read, and nothing else: what somebody else has changed meanwhile stays as they left it. */
export function Changes<Values extends object>({ of, send, children, beside }: ChangesProps<Values>) {
  const { t } = useWords();
  const [put, setPut] = useState<Partial<Values>>({}), [fault, setFault] = useState<Fault | null>(null);
  const values = { ...of, ...put };
  const keys = (Object.keys(of) as (keyof Values)[]).filter(key => values[key] !== of[key]), isSame = keys.length === 0;
  const { state, run } = useAct(async () => {
    await send(Object.fromEntries(keys.map(key => [key, values[key]])) as unknown as Partial<Values>);
    setPut({});
    tell(t("saved"));
  }, setFault);
  const form = (
    <form className="stack narrow" onSubmit={event => { event.preventDefault(); setFault(null); void run(); }}>
      {children(values, change => setPut(before => ({ ...before, ...change })), fault)}
      {fault && <FaultNote fault={fault} />}
      <div className="buttons">
        <Button disabled={isSame || state === "busy"} onClick={() => { setPut({}); setFault(null); }}>{t("configuration.undo")}</Button>
        <Button type="submit" look="primary" disabled={isSame || state === "busy"} aria-busy={state === "busy"}>{t("save")}</Button>
      </div>
    </form>
  );
  return <Card>{beside ? <div className="columns">{form}{beside(values)}</div> : form}</Card>;
}
