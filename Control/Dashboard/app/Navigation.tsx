import type { Action } from "../api/Access";
import { useMay } from "../api/Server";
import { Icon, type IconName } from "../design/Icon";
import { useWords } from "../text/Text";
import type { Key } from "../text/en";
import { Link } from "./Router";

type Entry = { to: string; text: Key; icon: IconName; needs: Action };

const groups: readonly { title: Key; entries: readonly Entry[] }[] = [
  {
    title: "nav.work", entries: [
      { to: "/", text: "nav.senders", icon: "senders", needs: "senders.view" },
      { to: "/broadcasts", text: "nav.broadcasts", icon: "broadcasts", needs: "broadcasts.view" },
      { to: "/destinations", text: "nav.destinations", icon: "destinations", needs: "destinations.view" },
    ],
  },
  {
    title: "nav.manage", entries: [
      { to: "/enrollment", text: "nav.enrollment", icon: "enrollment", needs: "senders.manage" },
      { to: "/members", text: "nav.members", icon: "members", needs: "users.view" },
      { to: "/tokens", text: "nav.tokens", icon: "tokens", needs: "account.manage" },
      { to: "/organization", text: "nav.organization", icon: "organization", needs: "organization.change" },
      { to: "/pool", text: "nav.pool", icon: "pool", needs: "diagnostics.view" },
      { to: "/webhooks", text: "nav.webhooks", icon: "webhooks", needs: "webhooks.manage" },
      { to: "/health", text: "nav.health", icon: "health", needs: "diagnostics.view" },
      { to: "/audit", text: "nav.audit", icon: "audit", needs: "audit.view" },
    ],
  },
];

/** The ways that the session may go. */
export function Navigation({ path }: { path: string }) {
  const { t } = useWords();
  const may = useMay();
  const isHere = (to: string) => to === "/" ? path === "/" || path.startsWith("/senders") : path.startsWith(to);
  return (
    <nav id="navigation" aria-label={t("nav")}>
      {groups.map(({ title, entries }) => ({ title, entries: entries.filter(entry => may(entry.needs)) })).filter(group => group.entries.length > 0).map(group => (
        <div key={group.title}>
          <h2>{t(group.title)}</h2>
          <ul>
            {group.entries.map(entry => (
              <li key={entry.to}>
                <Link to={entry.to} aria-current={isHere(entry.to) ? "page" : undefined}><Icon name={entry.icon} />{t(entry.text)}</Link>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </nav>
  );
}
