import { useMemo, useState } from "react";
import type { Fault } from "../api/Fault";
import { client, useMay, useReading } from "../api/Server";
import type { Destination, Sender } from "../api/Schema";
import { Nowhere } from "../app/Pages";
import { go, Link } from "../app/Router";
import { Button, useAct } from "../design/Button";
import { FaultNote } from "../design/Fault";
import { Choice, SelectField, TextField } from "../design/Field";
import { Card, Empty, Page, Read, Skeleton } from "../design/Page";
import { newestFirst, useAll, useCurrent, useDestinationsChange, useIsWhole, useOne } from "../live/Live";
import { useWords } from "../text/Text";
import { RehearsalCard, useRehearsal } from "./Rehearsal";
import { Presence } from "./SenderCard";

/** What is sent, and where to: then it starts, and its page shows each step. */
export function StartPage({ id }: { id: string }) {
  const { t } = useWords();
  const sender = useOne("sender", id), isWhole = useIsWhole(), current = useCurrent(id), may = useMay();
  const destinations = useReading("getDestinations", {});
  useDestinationsChange(destinations.again);
  if (!sender) return isWhole ? <Nowhere /> : <Skeleton />;
  return (
    <Page title={t("start.title", { name: sender.name })} back={{ to: `/senders/${id}`, text: sender.name }} badge={<Presence sender={sender} />}>
      {current
        ? <Empty title={t("start.busy")} action={<Link className="button primary" to={`/broadcasts/${current.id}`}>{t("sender.toBroadcast")}</Link>} />
        : <Read of={destinations}>{({ items }) => items.length === 0
          ? <Empty title={t("start.noDestination")} action={may("destinations.manage") && <Link className="button primary" to="/destinations">{t("destinations.add")}</Link>}>{t("start.noDestinationText")}</Empty>
          : <StartForm sender={sender} destinations={items} />}</Read>}
    </Page>
  );
}

/** Destinations of one address: a platform takes one publisher for a key, and nobody is told whether their keys are one as well. */
const address = (one: Destination) => JSON.stringify([one.url, one.streamID]);

/** Where the sender's last broadcast went, one of each address; the only one there is otherwise. */
function useUsual(sender: Sender, destinations: readonly Destination[]): ReadonlySet<string> {
  const broadcasts = useAll("broadcast");
  return useMemo(() => {
    const last = [...broadcasts.values()].filter(one => one.sender === sender.id).sort(newestFirst)[0];
    const went = last ? destinations.filter(one => last.outputs.some(output => output.destination === one.id)) : destinations.length === 1 ? destinations : [];
    return new Set(went.filter(one => went.find(other => address(other) === address(one)) === one).map(one => one.id));
  }, [broadcasts, destinations, sender.id]);
}

function StartForm({ sender, destinations }: { sender: Sender; destinations: readonly Destination[] }) {
  const { t, bytes, number } = useWords();
  const rehearsal = useRehearsal(sender.id), isRehearsing = rehearsal !== undefined && rehearsal.state !== "ended";
  const usual = useUsual(sender, destinations);
  // What somebody has chosen stays; what nobody has touched follows the configuration.
  const [video, setVideo] = useState<string | null>(null), [rate, setRate] = useState<string | null>(null);
  const [ticked, setTicked] = useState<ReadonlySet<string> | null>(null), [fault, setFault] = useState<Fault | null>(null);
  const policy = useReading("getOrganizationRecordingSettings", {}).value?.policy, [isRecorded, setRecorded] = useState(false);
  const { input, encoder } = sender.defaults ?? {};
  const inputs = sender.inventory.inputs.filter(one => one.media !== "audio").map(one => [one.id, one.name] as const);
  const preset = input?.video ?? inputs[0]?.[0] ?? "";
  const offered = inputs.some(([id]) => id === preset) || preset === "" ? inputs : [[preset, t("start.absent", { input: preset })] as const, ...inputs];
  const chosen = new Set([...(ticked ?? usual)].filter(id => destinations.some(one => one.id === id)));
  const shared = destinations.filter(one => destinations.some(other => other !== one && address(other) === address(one)) && chosen.has(one.id));
  const presetRate = encoder ? String(encoder.bitrate / 1e6) : "";
  const megabits = Number((rate ?? presetRate).replace(",", "."));
  const rateError = encoder && !(megabits >= 0.1 && megabits <= 50) ? t("start.rateRange") : undefined;
  // What is not changed is not sent: control takes it from the configuration in force.
  const picture = () => {
    const wanted = video ?? preset;
    return {
      ...(wanted !== input?.video && wanted !== "" && { input: { ...(input ?? {}), video: wanted } }),
      ...(encoder && rate !== null && Math.round(megabits * 1e6) !== encoder.bitrate && { encoder: { ...encoder, bitrate: Math.round(megabits * 1e6) } }),
    };
  };
  const rehearsing = useAct(() => client.call("postRehearsals", {}, { sender: sender.id, ...picture() }), setFault);
  const { state, run } = useAct(async () => {
    const made = await client.call("postBroadcasts", {}, { sender: sender.id, destinations: [...chosen], ...picture(), ...(policy === "asked" && { record: isRecorded }) });
    go(`/broadcasts/${made.id}`, "replace");
  }, setFault);
  const tick = (id: string, isIn: boolean) => {
    const next = new Set(chosen);
    if (isIn) next.add(id); else next.delete(id);
    setTicked(next);
  };
  // Half of a minute at the rate and half at twice that, with sound and what sending again costs.
  const cost = encoder ? (megabits * 1.5e6 + encoder.audioBitrate) * 60 / 8 * 1.22 : 0;
  const why = !sender.online ? t("start.offline") : chosen.size === 0 ? t("start.choose") : rateError;
  return (
    <div className="stack">
      <form className="stack" onSubmit={event => { event.preventDefault(); setFault(null); if (!why) void run(); }}>
        <Card title={t("start.picture")}>
          <div className="columns">
            <SelectField label={t("start.input")} name="input" value={video ?? preset} set={setVideo} options={offered} />
            <TextField label={t("start.rate")} name="bitrate" inputMode="decimal" value={rate ?? presetRate} set={setRate} disabled={!encoder} error={rateError}
              hint={encoder && t("start.encoder", { codec: encoder.codec, width: encoder.width, height: encoder.height, rate: number(encoder.frameRate) })} />
          </div>
        </Card>
        <Card title={t("nav.destinations")}>
          <fieldset className="choices">
            <legend className="hidden">{t("nav.destinations")}</legend>
            {destinations.map(one => <Choice key={one.id} label={one.name} hint={one.url} checked={chosen.has(one.id)} set={isIn => tick(one.id, isIn)} />)}
          </fieldset>
          {shared.length > 1 && <p className="warn">{t("start.shared", { names: shared.map(one => one.name).join(", ") })}</p>}
        </Card>
        {policy === "asked" && <Card><Choice label={t("recordings.record")} hint={t("recordings.recordHint")} checked={isRecorded} set={setRecorded} /></Card>}
        {policy === "always" && <p className="muted">{t("recordings.recorded")}</p>}
        {fault && <FaultNote fault={fault} />}
        <div className="buttons ending">
          {why && <p className="muted">{why}</p>}
          <Button look="plain" className="rehearse" disabled={!sender.online || Boolean(rateError) || isRehearsing || rehearsing.state === "busy"}
            aria-busy={rehearsing.state === "busy"} onClick={() => { setFault(null); void rehearsing.run(); }}>
            {rehearsing.state === "busy" && <span className="spinner" />}{t("rehearsal.go")}
          </Button>
          <Button type="submit" look="primary" className="start" disabled={Boolean(why) || state === "busy"} aria-busy={state === "busy"}>
            {state === "busy" && <span className="spinner" />}{t("start.go")}
          </Button>
        </div>
        {!isRehearsing && <p className="muted">{t("rehearsal.text")} {cost > 0 && t("rehearsal.costMost", { size: bytes(cost) })}</p>}
      </form>
      {rehearsal && <RehearsalCard rehearsal={rehearsal} sender={sender} take={encoder && (bitrate => setRate(String(bitrate / 1e6)))} />}
    </div>
  );
}
