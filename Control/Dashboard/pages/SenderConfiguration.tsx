import { useEffect, useState } from "react";
import type { Fault } from "../api/Fault";
import { client, useMay, useReading } from "../api/Server";
import type { Configuration, Sender } from "../api/Schema";
import { ActButton, Button } from "../design/Button";
import { FaultNote } from "../design/Fault";
import { AreaField } from "../design/Field";
import { Card, Read } from "../design/Page";
import { Table } from "../design/Table";
import { Tabs } from "../design/Tabs";
import { tell } from "../design/Toast";
import { useWords } from "../text/Text";
import { ConfigurationForm } from "./ConfigurationForm";
import { Differences } from "./Differences";
import { placed } from "./TOMLPlace";
import { TOMLText } from "./TOMLText";

/** A sender's configuration as it is written, with what was wrong where it stands, and those from before. */
export function SenderConfiguration({ sender }: { sender: Sender }) {
  const history = useReading("getSendersByIdConfigurations", { id: sender.id });
  const { again } = history;
  useEffect(again, [again, sender.configuration.wanted]);
  return <Read of={history}>{({ items }) => <Editor sender={sender} versions={items} again={again} />}</Read>;
}

function Editor({ sender, versions, again }: { sender: Sender; versions: readonly Configuration[]; again: () => void }) {
  const { t } = useWords();
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
  const undo = () => {
    setText(saved);
    setBasis(saved);
    setFault(null);
  };
  const [way, setWay] = useState("form"), [isCompared, setCompared] = useState(false);
  const toml = TOMLText.of(text);
  const form = () => toml
    ? <ConfigurationForm sender={sender} toml={toml} set={setText} isReadOnly={!isAllowed} fault={fault} />
    : <p className="warn">{t("form.unknown")}</p>;
  return (
    <>
      <p className="muted">{versions.length === 0 ? t("configuration.none") : t("configuration.text")}</p>
      {saved !== basis && text !== basis && <p className="warn">{t("configuration.newer", { version: versions[0]?.version ?? 0 })}</p>}
      {fault && (fault.fields.length > 0 ? <Faults fault={fault} text={text} /> : <FaultNote fault={fault} />)}
      <Tabs label={t("sender.configuration")} chosen={way} choose={setWay} tabs={[
        { id: "form", title: t("form.title"), body: form },
        { id: "text", title: t("configuration.asText"), body: () => (
          <AreaField label={t("configuration.toml")} value={text} set={setText} readOnly={!isAllowed} rows={Math.max(10, Math.min(28, text.split("\n").length + 1))} />
        ) },
      ]} />
      {isAllowed && (
        <div className="buttons">
          <Button disabled={text === saved} onClick={undo}>{t("configuration.undo")}</Button>
          <Button disabled={text === saved} onClick={() => setCompared(true)}>{t("configuration.changes")}</Button>
          <ActButton look="primary" disabled={text === saved} act={save} failed={setFault} done={t("saved")}>{t("save")}</ActButton>
        </div>
      )}
      {isCompared && <Differences title={t("differences.own")} before={saved} after={text} close={() => setCompared(false)} />}
      {versions.length > 0 && <History sender={sender} versions={versions} isAllowed={isAllowed} take={taken => { setText(taken); scrollTo(0, 0); }} />}
    </>
  );
}

type HistoryProps = { sender: Sender; versions: readonly Configuration[]; isAllowed: boolean; take: (text: string) => void };

/** What the sender was told before; each beside the one that it took the place of. */
function History({ sender, versions, isAllowed, take }: HistoryProps) {
  const { t, time } = useWords();
  const [compared, setCompared] = useState<Configuration | null>(null);
  // Of the oldest that is kept nobody knows what was before it, unless it was the first.
  const before = (one: Configuration) => versions[versions.indexOf(one) + 1]?.toml ?? (one.version === 1 ? "" : undefined);
  return (
    <Card title={t("configuration.history")}>
      <Table label={t("configuration.history")} rows={versions} id={one => String(one.version)} columns={[
        { id: "version", title: t("configuration.version"), heads: true, cell: one => one.version },
        { id: "at", title: t("time"), short: true, cell: one => time(one.createdAt) },
        { id: "state", title: t("state"), cell: one => one.version === sender.configuration.applied ? t("configuration.inForce") : "" },
        { id: "act", title: t("actions"), cell: one => (
          <div className="buttons">
            {before(one) !== undefined && <Button small onClick={() => setCompared(one)} aria-label={t("differences.of", { version: one.version })}>{t("differences.show")}</Button>}
            <Button small look="quiet" onClick={() => take(one.toml)} aria-label={t("configuration.takeVersion", { version: one.version })}>{t(isAllowed ? "configuration.take" : "configuration.show")}</Button>
          </div>
        ) },
      ]} />
      {compared && <Differences title={t("differences.of", { version: compared.version })} before={before(compared) ?? ""} after={compared.toml} close={() => setCompared(null)} />}
    </Card>
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
