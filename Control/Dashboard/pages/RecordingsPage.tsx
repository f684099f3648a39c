import { useState } from "react";
import type { Recording } from "../api/Schema";
import { useReading } from "../api/Server";
import { Link } from "../app/Router";
import { Badge, type Tone } from "../design/Badge";
import { Button } from "../design/Button";
import { SelectField, TextField } from "../design/Field";
import { Card, Empty, Page, Read } from "../design/Page";
import { Table } from "../design/Table";
import { useWords } from "../text/Text";
import { useEvery } from "./useEvery";

export const recordingTone: Record<Recording["state"], Tone> =
  { invoked: "none", recording: "live", uploading: "warn", processing: "warn", ready: "good", errored: "bad", expired: "none" };

const states = ["recording", "uploading", "ready", "errored", "expired"] as const;

/** What was recorded of broadcasts: found by the name of its sender, by its state and by its day. */
export function RecordingsPage() {
  const { t } = useWords();
  const [search, setSearch] = useState(""), [state, setState] = useState(""), [day, setDay] = useState("");
  // The pages before, by the id that each begins behind.
  const [before, setBefore] = useState<readonly string[]>([]);
  const filter = (change: () => void) => { change(); setBefore([]); };
  // A day that is being typed may be none, as one of the year 20261.
  const begin = new Date(`${day}T00:00:00`), from = Number.isNaN(begin.getTime()) ? null : begin, last = before.at(-1);
  const page = useReading("getRecordings", {
    ...(search.trim() && { search: search.trim() }), ...(state && { state }), ...(last && { before: last }),
    ...(from && { from: from.toISOString(), to: new Date(from.getTime() + 86_400_000).toISOString() }),
  });
  useEvery(10_000, page.again);
  const isFiltered = search.trim() !== "" || state !== "" || day !== "";
  return (
    <Page title={t("nav.recordings")}>
      <Card>
        <div className="columns">
          <TextField label={t("recordings.search")} type="search" maxLength={100} autoComplete="off" value={search} set={text => filter(() => setSearch(text))} />
          <SelectField label={t("state")} value={state} set={chosen => filter(() => setState(chosen))}
            options={[["", t("recordings.any")], ...states.map(one => [one, t(`recordings.state.${one}`)] as const)]} />
          <TextField label={t("recordings.day")} type="date" value={day} set={chosen => filter(() => setDay(chosen))} />
        </div>
      </Card>
      <Read of={page}>{({ items, next }) => <>
        {items.length === 0
          ? <Empty title={isFiltered ? t("recordings.noneFound") : t("recordings.none")}>{!isFiltered && t("recordings.noneText")}</Empty>
          : <Card><List rows={items} /></Card>}
        {(before.length > 0 || next) && (
          <div className="buttons">
            <Button disabled={before.length === 0} onClick={() => setBefore(before.slice(0, -1))}>{t("recordings.newer")}</Button>
            <Button disabled={!next} onClick={() => { if (next) setBefore([...before, next]); }}>{t("recordings.older")}</Button>
          </div>
        )}
      </>}</Read>
    </Page>
  );
}

function List({ rows }: { rows: readonly Recording[] }) {
  const { t, time, duration, bytes } = useWords();
  return (
    <Table label={t("nav.recordings")} rows={rows} id={one => one.id} columns={[
      { id: "name", title: t("name"), heads: true, cell: one => one.state === "expired" ? one.name : <Link to={`/recordings/${one.id}`}>{one.name}</Link> },
      { id: "state", title: t("state"), cell: one => <RecordingBadge recording={one} /> },
      { id: "time", title: t("time"), short: true, cell: one => time(one.createdAt) },
      { id: "duration", title: t("broadcast.duration"), number: true, cell: one => one.durationMs > 0 ? duration(one.durationMs / 1000) : "–" },
      { id: "size", title: t("storage.size"), number: true, cell: one => one.bytes > 0 ? bytes(one.bytes) : "–" },
    ]} />
  );
}

/** What is with it, and how far it has come. */
export function RecordingBadge({ recording: { state, percent: share } }: { recording: Recording }) {
  const { t, percent } = useWords();
  return <Badge tone={recordingTone[state]}>{t(`recordings.state.${state}`)}{state === "uploading" && share != null && ` ${percent(share / 100)}`}</Badge>;
}
