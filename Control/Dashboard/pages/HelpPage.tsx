import { useMay, useReading } from "../api/Server";
import type { Action } from "../api/Access";
import { Link } from "../app/Router";
import { Card, Page } from "../design/Page";
import { useWords } from "../text/Text";
import type { Key } from "../text/en";

type Topic = { title: Key; text: Key; needs: Action; to?: string; way?: Key };

/** In the order in which somebody needs them who is new here; what a role may not do it is not told how to. */
const topics: readonly Topic[] = [
  { title: "help.sender", text: "help.senderText", needs: "senders.manage", to: "/admin/enrollment", way: "nav.enrollment" },
  { title: "help.destination", text: "help.destinationText", needs: "destinations.manage", to: "/destinations", way: "nav.destinations" },
  { title: "help.start", text: "help.startText", needs: "broadcasts.run", to: "/senders", way: "nav.senders" },
  { title: "help.watch", text: "help.watchText", needs: "broadcasts.view", to: "/broadcasts", way: "nav.broadcasts" },
  { title: "help.people", text: "help.peopleText", needs: "users.view", to: "/admin/members", way: "nav.members" },
  { title: "help.trouble", text: "help.troubleText", needs: "diagnostics.view", to: "/admin/diagnostics", way: "nav.diagnostics" },
  { title: "help.lost", text: "help.lostText", needs: "account.manage" },
  { title: "help.keyboard", text: "help.keyboardText", needs: "account.manage" },
  { title: "help.programs", text: "help.programsText", needs: "account.manage", to: "/tokens", way: "nav.tokens" },
];

/** How things are done here, and whom to ask. */
export function HelpPage() {
  const { t } = useWords();
  const may = useMay(), config = useReading("getConfig", {});
  return (
    <Page title={t("nav.help")}>
      {topics.filter(one => may(one.needs)).map(({ title, text, to, way }) => (
        <Card key={title} title={t(title)} actions={to && way && <Link className="button small" to={to}>{t(way)}</Link>}><p>{t(text)}</p></Card>
      ))}
      <p className="muted">
        {config.value && `${t("help.release", { release: config.value.release })} · `}
        <a href="/api/v1/openapi.json">{t("help.api")}</a>
      </p>
    </Page>
  );
}
