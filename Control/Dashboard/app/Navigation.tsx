import type { Action } from "../api/Access";
import { useMay, useReading } from "../api/Server";
import { Badge } from "../design/Badge";
import { Icon, type IconName } from "../design/Icon";
import { Menu } from "../design/Menu";
import { useWords } from "../text/Text";
import type { Key } from "../text/en";
import { Link } from "./Router";

type Entry = { to: string; text: Key; icon: IconName; needs: Action };

/** What people work with. */
const work: readonly Entry[] = [
  { to: "/", text: "nav.home", icon: "home", needs: "senders.view" },
  { to: "/senders", text: "nav.senders", icon: "senders", needs: "senders.view" },
  { to: "/broadcasts", text: "nav.broadcasts", icon: "broadcasts", needs: "broadcasts.view" },
  { to: "/recordings", text: "nav.recordings", icon: "recordings", needs: "recordings.view" },
  { to: "/destinations", text: "nav.destinations", icon: "destinations", needs: "destinations.view" },
  { to: "/meetings", text: "nav.meetings", icon: "meetings", needs: "meetings.view" },
];

/** For those who look after the organisation. */
const admin: readonly Entry[] = [
  { to: "/admin/members", text: "nav.members", icon: "members", needs: "users.view" },
  { to: "/admin/organization", text: "nav.organization", icon: "organization", needs: "organization.change" },
  { to: "/admin/enrollment", text: "nav.enrollment", icon: "enrollment", needs: "senders.manage" },
  { to: "/admin/presets", text: "nav.presets", icon: "presets", needs: "organization.change" },
  { to: "/admin/analytics", text: "nav.analytics", icon: "analytics", needs: "analytics.view" },
  { to: "/admin/storage", text: "nav.storage", icon: "storage", needs: "organization.change" },
  { to: "/admin/pool", text: "nav.pool", icon: "pool", needs: "diagnostics.view" },
  { to: "/admin/webhooks", text: "nav.webhooks", icon: "webhooks", needs: "webhooks.manage" },
  { to: "/admin/diagnostics", text: "nav.diagnostics", icon: "health", needs: "diagnostics.view" },
  { to: "/admin/updates", text: "nav.updates", icon: "updates", needs: "diagnostics.view" },
  { to: "/admin/audit", text: "nav.audit", icon: "audit", needs: "audit.view" },
];

/** The ways that the session may go. */
export function Navigation({ path }: { path: string }) {
  const { t } = useWords();
  const may = useMay();
  const open = (entries: readonly Entry[]) => entries.filter(entry => may(entry.needs)), managed = open(admin);
  return (
    <nav id="navigation" aria-label={t("nav")}>
      <Ways entries={open(work)} path={path} />
      {managed.length > 0 && (
        <Menu look="managing" label={t("nav.admin")} button={<><Icon name="organization" /><span>{t("nav.admin")}</span><Icon name="down" /></>}>
          {close => <Ways entries={managed} path={path} followed={close} />}
        </Menu>
      )}
    </nav>
  );
}

function Ways({ entries, path, followed }: { entries: readonly Entry[]; path: string; followed?: () => void }) {
  const { t } = useWords();
  const may = useMay();
  const isHere = (to: string) => to === "/" ? path === "/" : path === to || path.startsWith(`${to}/`);
  return (
    <ul>
      {entries.map(entry => (
        <li key={entry.to}>
          <Link to={entry.to} onClick={followed} data-tip={t(entry.text)} aria-current={isHere(entry.to) ? "page" : undefined}><Icon name={entry.icon} /><span>{t(entry.text)}</span></Link>
          {entry.to === "/admin/updates" && may("server.manage") && <UpdateMark />}
        </li>
      ))}
    </ul>
  );
}

/** Says that the server may be updated, to whoever may do it. */
function UpdateMark() {
  const { t } = useWords();
  const updates = useReading("getServerUpdates", {});
  return updates.value?.offer ? <Badge tone="good">{t("updates.available")}</Badge> : null;
}
