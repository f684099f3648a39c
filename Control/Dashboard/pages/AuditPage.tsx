import type { AuditEntry } from "../api/Schema";
import { useReading } from "../api/Server";
import { Button } from "../design/Button";
import { Card, Empty, Page, Read } from "../design/Page";
import { Table } from "../design/Table";
import { useAll } from "../live/Live";
import { useWords } from "../text/Text";

/** What was done in the organisation, by whom. */
export function AuditPage() {
  const { t, time } = useWords();
  const audit = useReading("getAudit", {});
  const names = useNames();
  const author = (one: AuditEntry) => {
    if (!one.author) return one.authorKind === "operator" ? t("audit.operator") : "–";
    const name = one.authorName ?? names(one.author);
    return one.token ? t("audit.by", { author: name, token: names(one.token) }) : name;
  };
  return (
    <Page title={t("nav.audit")} actions={<Button onClick={audit.again}>{t("reread")}</Button>}>
      <Read of={audit}>{({ items }) => items.length === 0 ? <Empty title={t("audit.none")} /> : (
        <Card>
          <p className="muted">{t("audit.text")}</p>
          <Table label={t("nav.audit")} rows={items} id={one => one.id} columns={[
            { id: "at", title: t("time"), heads: true, short: true, cell: one => time(one.at) },
            { id: "action", title: t("audit.action"), short: true, cell: one => <code>{one.action}</code> },
            { id: "author", title: t("audit.author"), cell: author },
            { id: "subject", title: t("audit.subject"), cell: one => one.subjectName ?? (one.subject ? names(one.subject) : "–") },
            { id: "detail", title: t("health.detail"), cell: one => one.detail ?? "" },
          ]} />
        </Card>
      )}</Read>
    </Page>
  );
}

/** Ids of API tokens and senders by their names, where those are known; people's come with the entries. */
function useNames(): (id: string) => string {
  const tokens = useReading("getApiTokens", {}), senders = useAll("sender");
  return id => {
    const plain = id.slice(id.indexOf(":") + 1);
    return tokens.value?.items.find(one => one.id === plain)?.name ?? senders.get(plain)?.name ?? id;
  };
}
