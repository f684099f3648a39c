import { useState } from "react";
import { client, useMay } from "../api/Server";
import type { Sender } from "../api/Schema";
import { Badge, type Tone } from "../design/Badge";
import { Button } from "../design/Button";
import { FormDialog } from "../design/Dialog";
import { Choice } from "../design/Field";
import { Card, Empty, Facts } from "../design/Page";
import { tell } from "../design/Toast";
import { useTelemetry } from "../live/Live";
import type { Modem } from "../live/Telemetry";
import { useWords } from "../text/Text";

const named = (modem: Modem) => [modem.link, modem.model || modem.id].filter(Boolean).join(", ");

/** How strong a signal is, 0 to 4 bars: by its reference power where the modem tells it, else by the daemon's per cent. */
function bars(modem: Modem): number {
  if (modem.rsrpDbm != null) return [-115, -105, -95, -85].filter(limit => modem.rsrpDbm! >= limit).length;
  return modem.signalPercent != null ? Math.min(4, Math.ceil(modem.signalPercent / 25)) : 0;
}

/** The modems of a sender, how well they hear their networks, and the button that restarts one that is stuck. */
export function SenderModems({ sender, isLive }: { sender: Sender; isLive: boolean }) {
  const { t } = useWords();
  const sample = useTelemetry(sender.id), may = useMay();
  const [asked, setAsked] = useState<Modem | null>(null);
  const modems = sender.online ? sample?.modems ?? [] : [];
  if (modems.length === 0) return <Empty title={t("modems.none")}>{t(sender.online ? "modems.noneText" : "modems.offline")}</Empty>;
  return (
    <>
      {modems.map(modem => (
        <Card key={modem.id} title={named(modem)} actions={may("senders.operate") && <Button small onClick={() => setAsked(modem)} aria-label={t("modems.resetOf", { modem: named(modem) })}>{t("modems.reset")}</Button>}>
          <ModemFacts modem={modem} />
        </Card>
      ))}
      {asked && <ResetDialog sender={sender} modem={asked} isLive={isLive} close={() => setAsked(null)} />}
    </>
  );
}

function ModemFacts({ modem }: { modem: Modem }) {
  const { t } = useWords();
  const tone: Tone = modem.state === "connected" ? "good" : modem.state === "failed" || modem.state === "locked" ? "bad" : "none";
  return (
    <>
      {modem.reason && <p className="warn">{modem.reason}</p>}
      <Facts facts={[
        [t("modems.state"), <Badge tone={tone}>{t(`modems.state.${modem.state}`)}</Badge>],
        [t("modems.signal"), (modem.rsrpDbm != null || modem.signalPercent != null) && <Signal modem={modem} />],
        [t("modems.network"), [modem.network, modem.registration === "roaming" && t("modems.roaming")].filter(Boolean).join(", ")],
        [t("modems.technology"), [modem.technology, modem.band].filter(Boolean).join(" ")],
        [t("modems.quality"), modem.sinrDb != null && `SINR ${modem.sinrDb} dB`],
        [t("modems.sim"), modem.sim !== "ready" && t(`modems.sim.${modem.sim}`)],
      ]} />
    </>
  );
}

/** A modem in a line beside its link: how it hears which network, and what is wrong with it. */
export function Hearing({ modem }: { modem: Modem }) {
  const { t } = useWords();
  const words = [modem.network, [modem.technology, modem.band].filter(Boolean).join(" "), modem.registration === "roaming" && t("modems.roaming"),
    modem.sinrDb != null && `SINR ${modem.sinrDb} dB`].filter(Boolean).join(", ");
  return (
    <p className="hearing">
      {(modem.rsrpDbm != null || modem.signalPercent != null) && <Signal modem={modem} />}
      {words && <span className="muted">{words}</span>}
      {modem.reason && <span className="warn">{modem.reason}</span>}
    </p>
  );
}

function Signal({ modem }: { modem: Modem }) {
  const strength = bars(modem), text = modem.rsrpDbm != null ? `${modem.rsrpDbm} dBm` : `${modem.signalPercent} %`;
  return <span className="signal"><span className={strength <= 1 ? "bars weak" : "bars"} aria-hidden="true">{[1, 2, 3, 4].map(bar => <i key={bar} className={bar <= strength ? "on" : ""} />)}</span>{text}</span>;
}

function ResetDialog({ sender, modem, isLive, close }: { sender: Sender; modem: Modem; isLive: boolean; close: () => void }) {
  const { t } = useWords();
  const [force, setForce] = useState(false);
  const act = async () => {
    const { reason } = await client.call("postSendersByIdModemReset", { id: sender.id }, { modem: modem.id, ...(isLive && force && { force }) });
    tell(`${named(modem)}: ${reason ?? t("modems.wasReset")}`);
  };
  return (
    <FormDialog title={t("modems.resetTitle", { modem: named(modem) })} submit={t("modems.reset")} grave close={close} act={act}>
      <p>{t("modems.resetText")}</p>
      {isLive && <Choice label={t("modems.force")} checked={force} set={setForce} />}
    </FormDialog>
  );
}
