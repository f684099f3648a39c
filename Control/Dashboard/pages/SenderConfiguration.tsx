import { useEffect, useState } from "react";
import type { Fault } from "../api/Fault";
import { client, useMay, useReading } from "../api/Server";
import type { Configuration, Sender } from "../api/Schema";
import { ActButton, Button } from "../design/Button";
import { FaultNote } from "../design/Fault";
import { AreaField } from "../design/Field";
import { Card, Read } from "../design/Page";
import { Table } from "../design/Table";
import { tell } from "../design/Toast";
import { useWords } from "../text/Text";
import { placed } from "./TOMLPlace";

/** A sender's configuration as it is written, with what was wrong where it stands, and those from before. */
export function SenderConfiguration({ sender }: { sender: Sender }) {
  const history = useReading("getSendersByIdConfigurations", { id: sender.id });
  const { again } = history;
  useEffect(again, [again, sender.configuration.wanted]);
  return <Read of={history}>{({ items }) => <Editor sender={sender} versions={items} again={again} />}</Read>;
}

function Editor({ sender, versions, again }: { sender: Sender; versions: readonly Configuration[]; again: () => void }) {
  const { t, time } = useWords();
  const isAllowed = useMay()("senders.manage");
  const saved = versions[0]?.toml ?? "";
  const [text, setText] = useState(saved), [basis, setBasis] = useState(saved), [fault, setFault] = useState<Fault | null>(null);
  const newest = versions[0]?.version ?? 0;
  const [seen, setSeen] = useState(newest);
  // Somebody else saved one: it is taken over, unless this text was changed meanwhile. What was saved here is not read back yet.
  if (newest !== seen) {
    setSeen(newest);
    if (text === basis) {
      setText(saved);
      setBasis(saved);
    }
  }
  const save = async () => {
    setFault(null);
    const answer = await client.call("putSendersByIdConfiguration", { id: sender.id }, { toml: text });
    setBasis(text);
    again();
    tell(answer.result === "refused" ? `${t("configuration.refused")}: ${answer.reason ?? ""}` : t(`configuration.${answer.result}`, { version: answer.version }));
  };
  return (
    <>
      <Card title={t("sender.configuration")}>
        <p className="muted">{versions.length === 0 ? t("configuration.none") : t("configuration.text")}</p>
        {saved !== basis && text !== basis && <p className="warn">{t("configuration.newer", { version: versions[0]?.version ?? 0 })}</p>}
        {fault && (fault.fields.length > 0 ? <Faults fault={fault} text={text} /> : <FaultNote fault={fault} />)}
        <AreaField label={t("configuration.toml")} value={text} set={setText} readOnly={!isAllowed} rows={Math.max(10, Math.min(28, text.split("\n").length + 1))} />
        {isAllowed && (
          <div className="buttons">
            <Button disabled={text === saved} onClick={() => { setText(saved); setBasis(saved); setFault(null); }}>{t("configuration.undo")}</Button>
            <ActButton look="primary" disabled={text === saved} act={save} failed={setFault} done={t("saved")}>{t("save")}</ActButton>
          </div>
        )}
      </Card>
      {versions.length > 0 && (
        <Card title={t("configuration.history")}>
          <Table label={t("configuration.history")} rows={versions} id={one => String(one.version)} columns={[
            { id: "version", title: t("configuration.version"), heads: true, cell: one => one.version },
            { id: "at", title: t("time"), short: true, cell: one => time(one.createdAt) },
            { id: "state", title: t("state"), cell: one => one.version === sender.configuration.applied ? t("configuration.inForce") : "" },
            { id: "act", title: t("actions"), cell: one => <Button small onClick={() => { setText(one.toml); scrollTo(0, 0); }} aria-label={t("configuration.takeVersion", { version: one.version })}>{t(isAllowed ? "configuration.take" : "configuration.show")}</Button> },
          ]} />
        </Card>
      )}
    </>
  );
}

/** Each fault with the line that it is about. */
function Faults({ fault, text }: { fault: Fault; text: string }) {
  const { t } = useWords();
  return (
    <div className="fault" role="alert">
      <div>
        <p>{t("configuration.faults")}</p>
        <ul>{fault.fields.map(({ field, expected }) => {
          const place = placed(field, text);
          return <li key={field}>{place && <><strong>{t("configuration.line", { line: place.line })}</strong> <code>{place.text}</code><br /></>}<code>{field.replace(/^toml\.?/, "") || "toml"}</code>{" "}{t("fault.expected", { expected })}</li>;
        })}</ul>
      </div>
    </div>
  );
}
