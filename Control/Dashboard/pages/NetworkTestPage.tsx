import { useEffect, useState, useSyncExternalStore } from "react";
import { Link } from "../app/Router";
import { Badge, type Tone } from "../design/Badge";
import { Button } from "../design/Button";
import { lacking } from "../live/Devices";
import { verdict, ways, type Outcome, type Verdict } from "../live/NetworkVerdict";
import { NetworkTrial } from "../media/NetworkTrial";
import { useWords } from "../text/Text";
import DeviceCheck from "./DeviceCheck";
import { Door } from "./Door";
import { InAppNote } from "./InAppNote";

const tones: Record<Outcome, Tone> = { running: "none", passes: "good", blocked: "bad", absent: "none" };
/** What somebody can do something about. */
type Ill = "relayed" | "cut" | "bare" | "mute" | "away";
const isIll = (of: Verdict): of is Ill => ["relayed", "cut", "bare", "mute", "away"].includes(of);

/** What the network around somebody lets through of a meeting, in plain words, and what helps: for anybody, before they come to one. */
export default function NetworkTestPage() {
  const { t } = useWords();
  const lack = lacking(window);
  return (
    <Door title={t("network.title")}>
      <p className="muted">{t("network.text")}</p>
      <InAppNote address={location.href} />
      {lack ? <p className="room-obstacle" role="alert">{t(`room.obstacle.${lack}`)}</p> : <Trial />}
      <Devices />
      <Link to="/join">{t("join.title")}</Link>
    </Door>
  );
}

function Trial() {
  const { t } = useWords();
  const [trial] = useState(() => new NetworkTrial());
  useEffect(() => {
    trial.start();
    return () => trial.stop();
  }, [trial]);
  const outcomes = useSyncExternalStore(trial.watch, () => trial.view), found = verdict(outcomes);
  return (
    <>
      <div className={isIll(found) ? "room-obstacle" : "room-note"} role="status" data-verdict={found}>
        <p><strong>{t(`network.verdict.${found}`)}</strong></p>
        {isIll(found) && <p>{t(`network.help.${found}`, { host: location.host })}</p>}
      </div>
      <ul className="ways">
        {ways.map(way => (
          <li key={way} data-way={way} data-outcome={outcomes[way]}>
            <span><strong>{t(`network.way.${way}`)}</strong>{" "}<span className="muted">{t(`network.what.${way}`)}</span></span>
            <Badge tone={tones[outcomes[way]]}>{t(`network.outcome.${outcomes[way]}`)}</Badge>
          </li>
        ))}
      </ul>
      <Button disabled={found === "running"} onClick={() => trial.start()}>{t("again")}</Button>
    </>
  );
}

/** Asked for by a press alone: a browser's question that nobody expects is refused. */
function Devices() {
  const { t } = useWords();
  const [isOpen, setOpen] = useState(false);
  if (isOpen) return <DeviceCheck preset="video_host" />;
  return (
    <section className="stack">
      <p className="muted">{t("network.devices")}</p>
      <Button onClick={() => setOpen(true)}>{t("network.tryDevices")}</Button>
    </section>
  );
}
