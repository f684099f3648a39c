import type { Sender } from "../api/Schema";
import { Link } from "../app/Router";
import { Badge } from "../design/Badge";
import { broadcastTone } from "../design/states";
import { useCurrent, useTelemetry } from "../live/Live";
import { useWords } from "../text/Text";
import { useAlarms } from "./Meters";
import { Thumbnail } from "./Thumbnail";

/** A sender as it is now, in a few words. */
export function SenderCard({ sender }: { sender: Sender }) {
  const { t, megabits, ago } = useWords();
  const broadcast = useCurrent(sender.id), sample = useTelemetry(sender.id), alarms = useAlarms(sender.id);
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
      {broadcast && sender.online && alarms.length > 0 && <p>{alarms.map(alarm => <Badge key={alarm} tone="bad">{alarm}</Badge>)}</p>}
      {broadcast?.reason && <p className="warn">{broadcast.reason}</p>}
      {sender.configuration.reason && <p className="warn">{t("sender.refused", { version: sender.configuration.wanted })}</p>}
    </article>
  );
}

export function Presence({ sender }: { sender: Sender }) {
  const { t } = useWords();
  return <Badge tone={sender.online ? "good" : "bad"}>{t(sender.online ? "sender.online" : "sender.offline")}</Badge>;
}
