import type { ReactNode } from "react";
import type { Sender } from "../api/Schema";
import { Chart } from "../charts/Chart";
import { Badge } from "../design/Badge";
import { Empty } from "../design/Page";
import { linkTone } from "../design/states";
import { history, useTelemetry } from "../live/Live";
import type { LinkSample, Modem, Usage } from "../live/Telemetry";
import { useWords } from "../text/Text";
import { Hearing } from "./SenderModems";

/** Each link of a sender; of those that send the last minute: rate, round trip, loss. */
export function LinkCharts({ sender }: { sender: Sender }) {
  const { t } = useWords();
  const sample = useTelemetry(sender.id);
  if (sender.inventory.links.length === 0) return <Empty title={t("links.none")}>{t("links.noneText")}</Empty>;
  // Nobody knows how the links of one that is away are.
  const measured = new Map((sender.online ? sample?.links ?? [] : []).map(link => [link.name, link]));
  const modem = (name: string) => sender.online ? sample?.modems?.find(one => one.link === name) : undefined;
  return (
    <ul className="links">{sender.inventory.links.map(link => (
      <li key={link.name}>
        <LinkRow sender={sender} link={link} now={measured.get(link.name)} modem={modem(link.name)} usage={sample?.usage?.find(one => one.link === link.name)} />
      </li>
    ))}</ul>
  );
}

type RowProps = { sender: Sender; link: Sender["inventory"]["links"][number]; now?: LinkSample; modem?: Modem; usage?: Usage };

function LinkRow({ sender, link, now, modem, usage }: RowProps) {
  const { t, megabits, milliseconds, percent } = useWords();
  const state = now && now.state !== "unused" ? now.state : link.state, reason = now?.reason ?? link.reason;
  const series = (name: string) => history.one(`${sender.id}/link/${link.name}/${name}`);
  return (
    <section className="card link" aria-label={link.name}>
      <header>
        <h3>{link.name}<span className="muted"> {t(`links.kind.${link.kind}`)}</span></h3>
        {sender.online && <Badge tone={reason && linkTone[state] === "good" ? "warn" : linkTone[state]}>{t(`links.state.${state}`)}</Badge>}
      </header>
      <p className="muted addresses">{link.addresses.join(", ") || t("links.unaddressed")}{now && now.state !== "unused" && now.bond ? ` · ${t("links.share", { share: now.weight })}` : ""}</p>
      {sender.online && reason && <p className="warn">{reason}</p>}
      {modem && <Hearing modem={modem} />}
      {usage && <Carried usage={usage} />}
      {now && <div className="charts">
        <Figure title={t("links.sent")} value={megabits(now.sent)} more={now.bond ? t("links.capacity", { rate: megabits(now.bond.capacity) }) : undefined}>
          <Chart label={t("links.chartSent", { link: link.name })} floor={500_000} scale={megabits}
            curves={() => [{ series: series("sent"), look: "area" }, { series: series("capacity"), look: "limit" }]} />
        </Figure>
        <Figure title={t("links.rtt")} value={now.rttMs != null ? milliseconds(now.rttMs) : "–"}>
          <Chart label={t("links.chartRtt", { link: link.name })} floor={50} scale={milliseconds} curves={() => [{ series: series("rtt"), look: "line" }]} />
        </Figure>
        <Figure title={t("links.loss")} value={now.loss != null ? percent(now.loss) : "–"}>
          <Chart label={t("links.chartLoss", { link: link.name })} floor={5} scale={value => percent(value / 100)} curves={() => [{ series: series("loss"), look: "area", tone: "warn" }]} />
        </Figure>
      </div>}
    </section>
  );
}

/** What a link has carried in its billing cycle, of what it may. */
function Carried({ usage }: { usage: Usage }) {
  const { t, bytes, day } = useWords();
  const used = bytes(usage.sentBytes + usage.receivedBytes);
  const words = [usage.capBytes != null ? t("sender.planUsed", { used, cap: bytes(usage.capBytes) }) : used, usage.since && t("plan.since", { day: day(usage.since) })].filter(Boolean).join(" ");
  return <p className={`addresses ${usage.state === "within" ? "muted" : "warn"}`}>{t("plan.carried", { words })}{usage.state === "spent" && ` · ${t("plan.spent")}`}</p>;
}

/** A figure with its name above its curve. */
export function Figure({ title, value, more, children }: { title: string; value: string; more?: string; children: ReactNode }) {
  return (
    <div className="measure">
      <p><span className="muted">{title}</span><strong>{value}</strong>{more && <span className="muted">{more}</span>}</p>
      {children}
    </div>
  );
}
