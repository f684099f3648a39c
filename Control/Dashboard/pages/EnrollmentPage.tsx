import { useEffect, useState } from "react";
import { client, useReading } from "../api/Server";
import type { Token } from "../api/Schema";
import { Button } from "../design/Button";
import { ConfirmDialog, FormDialog } from "../design/Dialog";
import { SelectField, TextField } from "../design/Field";
import { Card, Empty, Page, Read } from "../design/Page";
import { Table } from "../design/Table";
import { useAll } from "../live/Live";
import { useWords } from "../text/Text";
import { EnrollmentCommand } from "./EnrollmentCommand";

/** Tokens for new boards: made, shown once with the commands that use them, and withdrawn. */
export function EnrollmentPage() {
  const { t, time } = useWords();
  const tokens = useReading("getEnrollmentTokens", {}), senders = useAll("sender");
  const [isMaking, setMaking] = useState(false), [made, setMade] = useState<Token | null>(null), [withdrawn, setWithdrawn] = useState<Token | null>(null);
  const { again } = tokens, count = senders.size;
  // A board that enrolls uses one up.
  useEffect(again, [again, count]);
  const make = <Button look="primary" onClick={() => setMaking(true)}>{t("enrollment.make")}</Button>;
  const state = (one: Token) => one.device ? t("enrollment.used", { name: senders.get(one.device)?.name ?? t("broadcasts.gone") }) : Date.parse(one.expiresAt) < Date.now() ? t("enrollment.expired") : t("enrollment.open");
  return (
    <Page title={t("nav.enrollment")} actions={make}>
      {made && <EnrollmentCommand token={made} enrolled={made.device ?? tokens.value?.items.find(one => one.id === made.id)?.device} />}
      <Read of={tokens}>{({ items }) => items.length === 0 && !made ? <Empty title={t("enrollment.none")} action={make}>{t("enrollment.noneText")}</Empty> : items.length > 0 && (
        <Card title={t("enrollment.tokens")}>
          <Table label={t("enrollment.tokens")} rows={items} id={one => one.id} columns={[
            { id: "name", title: t("name"), heads: true, cell: one => one.name ?? "–" },
            { id: "state", title: t("state"), cell: state },
            { id: "expires", title: t("enrollment.expires"), short: true, cell: one => time(one.expiresAt) },
            { id: "act", title: t("actions"), cell: one => one.device ? "" : <Button small look="quiet" onClick={() => setWithdrawn(one)} aria-label={t("enrollment.withdrawOf", { name: one.name ?? "" })}>{t("enrollment.withdraw")}</Button> },
          ]} />
        </Card>
      )}</Read>
      {isMaking && <MakeDialog close={() => setMaking(false)} done={token => { setMade(token); again(); }} />}
      {withdrawn && (
        <ConfirmDialog title={t("enrollment.withdrawTitle", { name: withdrawn.name ?? "" })} submit={t("enrollment.withdraw")} close={() => setWithdrawn(null)}
          act={async () => { await client.call("deleteEnrollmentTokensById", { id: withdrawn.id }); if (made?.id === withdrawn.id) setMade(null); again(); }}><p>{t("enrollment.withdrawText")}</p></ConfirmDialog>
      )}
    </Page>
  );
}

function MakeDialog({ close, done }: { close: () => void; done: (token: Token) => void }) {
  const { t } = useWords();
  const [name, setName] = useState(""), [seconds, setSeconds] = useState("86400");
  const act = async () => done(await client.call("postEnrollmentTokens", {}, { kind: "sender", ...(name.trim() && { name: name.trim() }), expiresInSeconds: Number(seconds) }));
  return (
    <FormDialog title={t("enrollment.make")} submit={t("enrollment.make")} close={close} act={act}>
      <TextField label={t("enrollment.name")} hint={t("enrollment.nameHint")} name="name" value={name} set={setName} maxLength={100} />
      <SelectField label={t("enrollment.lasts")} value={seconds} set={setSeconds} options={[["3600", t("enrollment.hour")], ["86400", t("enrollment.day")], ["604800", t("enrollment.week")], ["2592000", t("enrollment.month")]]} />
    </FormDialog>
  );
}
