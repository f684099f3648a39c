import { useMay } from "../api/Server";
import type { Sender } from "../api/Schema";
import { Link } from "../app/Router";
import { Badge } from "../design/Badge";
import { Empty, Page, Skeleton } from "../design/Page";
import { broadcastTone } from "../design/states";
import { useAll, useCurrent, useIsWhole, useTelemetry } from "../live/Live";
import { useWords } from "../text/Text";
import { Thumbnail } from "./Thumbnail";

/** Every sender as it is now; those that send come first, those that are away last. */
export function SendersPage() {
  const { t } = useWords();
  const may = useMay(), isWhole = useIsWhole();
  const senders = useAll("sender"), broadcasts = useAll("broadcast");
  const busy = new Set([...broadcasts.values()].filter(one => one.state !== "ended").map(one => one.sender));
  const rank = (one: Sender) => (busy.has(one.id) ? 0 : one.online ? 1 : 2);
  const sorted = [...senders.values()].sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
  const add = may("senders.manage") && <Link className="button primary" to="/enrollment">{t("senders.add")}</Link>;
  return (
    <Page title={t("nav.senders")} actions={sorted.length > 0 && add}>
      {sorted.length > 0 ? <ul className="cards">{sorted.map(one => <li key={one.id}><SenderCard sender={one} /></li>)}</ul>
        : isWhole ? <Empty title={t("senders.none")} action={add}>{t(may("senders.manage") ? "senders.noneText" : "senders.noneOther")}</Empty> : <Skeleton />}
    </Page>
  );
}

function SenderCard({ sender }: { sender: Sender }) {
  const { t, megabits, ago } = useWords();
  const broadcast = useCurrent(sender.id), sample = useTelemetry(sender.id);
  const up = sender.inventory.links.filter(link => link.state === "up").length;
  const rate = sample?.links.reduce((sum, link) => sum + link.sent, 0) ?? 0;
  return (
    <article className="card sender">
      <header>
        <h2><Link to={`/senders/${sender.id}`}>{sender.name}</Link></h2>
        {broadcast ? <Badge tone={broadcastTone[broadcast.state]}>{t(`state.${broadcast.state}`)}</Badge> : <Presence sender={sender} />}
      </header>
      {broadcast && <Thumbnail broadcast={broadcast} name={sender.name} />}
      <p className="figure">
        {broadcast && sender.online ? megabits(rate) : sender.online ? t("senders.links", { up, all: sender.inventory.links.length }) : sender.lastSeenAt ? t("senders.seen", { ago: ago(sender.lastSeenAt) }) : t("senders.never")}
      </p>
      <p className="muted">{[broadcast && t("senders.linksUp", { up }), sender.agentVersion && t("senders.version", { version: sender.agentVersion }), sender.location?.text].filter(Boolean).join(" · ")}</p>
      {broadcast?.reason && <p className="warn">{broadcast.reason}</p>}
      {sender.configuration.reason && <p className="warn">{t("sender.refused", { version: sender.configuration.wanted })}</p>}
    </article>
  );
}

export function Presence({ sender }: { sender: Sender }) {
  const { t } = useWords();
  return <Badge tone={sender.online ? "good" : "bad"}>{t(sender.online ? "sender.online" : "sender.offline")}</Badge>;
}
