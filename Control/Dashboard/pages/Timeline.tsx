import { useState } from "react";
import { client } from "../api/Server";
import type { Fault } from "../api/Fault";
import type { Broadcast } from "../api/Schema";
import { ActButton, Button } from "../design/Button";
import { FaultNote } from "../design/Fault";
import { Card } from "../design/Page";
import { useSeen } from "../live/Live";
import { recorded, type Happening } from "../live/Witness";
import { useWords, type Words } from "../text/Text";
import { en, type Key } from "../text/en";

/** More than anybody reads at once. */
const shownAtFirst = 50;

const warns = /^(state\.(degraded|interrupted)|output\.(retrying|failed)|slate\.shown|receiver\.|receiver_unheard|link_(silent|unreachable|removed)|rate_cut|data_(near|spent))/;

/** What happened to a broadcast, the newest first: what this page has seen and, once asked for, what its sender has written down. */
export function Timeline({ broadcast }: { broadcast: Broadcast }) {
  const words = useWords(), { t } = words;
  const seen = useSeen(broadcast.id);
  const [flight, setFlight] = useState<readonly Happening[] | null>(null), [fault, setFault] = useState<Fault | null>(null), [isWhole, setWhole] = useState(false);
  const read = async () => {
    setFault(null);
    setFlight(recorded(await (await client.call("getBroadcastsByIdRecorder", { id: broadcast.id })).text()));
  };
  const all = [...ends(broadcast), ...seen, ...(flight ?? [])].sort((a, b) => b.at - a.at);
  return (
    <Card title={t("timeline.title")} actions={<ActButton small act={read} failed={setFault}>{t(flight ? "reread" : "timeline.read")}</ActButton>}>
      <p className="muted">{t(flight ? "timeline.whole" : "timeline.part")}</p>
      {fault && <FaultNote fault={fault} />}
      <ol className="timeline" aria-label={t("timeline.title")}>
        {(isWhole ? all : all.slice(0, shownAtFirst)).map((one, index) => (
          <li key={`${one.at} ${one.what} ${index}`}>
            <time dateTime={new Date(one.at).toISOString()}>{words.moment(one.at)}</time>
            <p className={warns.test(one.what) ? "warn" : undefined}>{told(one, words)}{one.reason && <span className="muted"> {one.reason}</span>}</p>
          </li>
        ))}
      </ol>
      {!isWhole && all.length > shownAtFirst && <div className="buttons"><Button small onClick={() => setWhole(true)}>{t("timeline.all", { count: all.length })}</Button></div>}
    </Card>
  );
}

/** Its beginning and its end, which have their times. */
function ends(broadcast: Broadcast): Happening[] {
  const found: Happening[] = [{ at: Date.parse(broadcast.createdAt), what: "begun" }];
  if (broadcast.endedAt) found.push({ at: Date.parse(broadcast.endedAt), what: "ended", ...(broadcast.reason && { reason: broadcast.reason }) });
  return found;
}

/** In the reader's words; what nobody has words for in its own. */
function told({ what, subject = "" }: Happening, { t, megabits }: Words): string {
  const key = `happened.${what}`;
  return key in en ? t(key as Key, { subject: what === "rate.changed" ? megabits(Number(subject)) : subject }) : [what, subject].filter(Boolean).join(" ");
}
