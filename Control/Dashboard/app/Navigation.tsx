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
      { to: "/", text: "nav.home", icon: "home", needs: "senders.view" },
      { to: "/senders", text: "nav.senders", icon: "senders", needs: "senders.view" },
      { to: "/broadcasts", text: "nav.broadcasts", icon: "broadcasts", needs: "broadcasts.view" },
      { to: "/destinations", text: "nav.destinations", icon: "destinations", needs: "destinations.view" },
      { to: "/meetings", text: "nav.meetings", icon: "meetings", needs: "meetings.view" },
    ],
  },
  {
    title: "nav.manage", entries: [
      { to: "/admin/enrollment", text: "nav.enrollment", icon: "enrollment", needs: "senders.manage" },
      { to: "/admin/members", text: "nav.members", icon: "members", needs: "users.view" },
      { to: "/admin/organization", text: "nav.organization", icon: "organization", needs: "organization.change" },
      { to: "/admin/pool", text: "nav.pool", icon: "pool", needs: "diagnostics.view" },
      { to: "/admin/webhooks", text: "nav.webhooks", icon: "webhooks", needs: "webhooks.manage" },
      { to: "/admin/diagnostics", text: "nav.diagnostics", icon: "health", needs: "diagnostics.view" },
      { to: "/admin/audit", text: "nav.audit", icon: "audit", needs: "audit.view" },
    ],
  },
  {
    title: "nav.own", entries: [
      { to: "/account", text: "nav.account", icon: "account", needs: "account.manage" },
      { to: "/tokens", text: "nav.tokens", icon: "tokens", needs: "account.manage" },
      { to: "/help", text: "nav.help", icon: "help", needs: "account.manage" },
    ],
  },
];

/** The ways that the session may go. */
export function Navigation({ path }: { path: string }) {
  const { t } = useWords();
  const may = useMay();
  const isHere = (to: string) => to === "/" ? path === "/" : path === to || path.startsWith(`${to}/`);
  return (
    <nav id="navigation" aria-label={t("nav")}>
      {groups.map(({ title, entries }) => ({ title, entries: entries.filter(entry => may(entry.needs)) })).filter(group => group.entries.length > 0).map(group => (
        <div key={group.title}>
          <h2>{t(group.title)}</h2>
          <ul>
            {group.entries.map(entry => (
              <li key={entry.to}>
                <Link to={entry.to} data-tip={t(entry.text)} aria-current={isHere(entry.to) ? "page" : undefined}><Icon name={entry.icon} />{t(entry.text)}</Link>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </nav>
  );
}
