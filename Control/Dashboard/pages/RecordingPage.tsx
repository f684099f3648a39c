import { useCallback, useEffect, useRef, useState } from "react";
import type { Answer } from "../api/Client";
import type { Fault } from "../api/Fault";
import { asFault, client, useMay, useReading } from "../api/Server";
import type { Recording, RecordingFile } from "../api/Schema";
import { go, Link } from "../app/Router";
import { Button } from "../design/Button";
import { Copy } from "../design/Copy";
import { ConfirmDialog } from "../design/Dialog";
import { FaultNote } from "../design/Fault";
import { SelectField } from "../design/Field";
import { Card, Facts, Page, Read, Skeleton } from "../design/Page";
import { useWords } from "../text/Text";
import { RecordingBadge } from "./RecordingsPage";
import { useEvery } from "./useEvery";

type Links = Answer<"postRecordingsByIdLinks">;

/** One recording: it is played, downloaded, handed on by an address, and removed. */
export function RecordingPage({ id }: { id: string }) {
  const { t, time, duration, bytes } = useWords();
  const may = useMay(), recording = useReading("getRecordingsById", { id });
  const [isRemoving, setRemoving] = useState(false);
  useEvery(5_000, recording.again);
  return (
    <Read of={recording}>{one => (
      <Page title={one.name} back={{ to: "/recordings", text: t("nav.recordings") }} badge={<RecordingBadge recording={one} />}
        actions={may("recordings.manage") && one.endedAt && <Button onClick={() => setRemoving(true)}>{t("remove")}</Button>}>
        {one.reason && <Card tone={one.state === "errored" ? "bad" : "warn"}><p>{one.reason}</p></Card>}
        <Films recording={one} />
        <Card title={t("recordings.about")}>
          <Facts facts={[
            [t("broadcast.started"), time(one.createdAt)],
            [t("broadcast.duration"), one.durationMs > 0 && duration(one.durationMs / 1000)],
            [t("storage.size"), one.bytes > 0 && bytes(one.bytes)],
            [t("recordings.expires"), one.expiresAt && time(one.expiresAt)],
            [t("recordings.broadcast"), <Link key="broadcast" to={`/broadcasts/${one.broadcast}`}>{time(one.createdAt)}</Link>],
          ]} />
        </Card>
        {isRemoving && (
          <ConfirmDialog title={t("recordings.removeTitle", { name: one.name })} submit={t("remove")} close={() => setRemoving(false)}
            act={async () => { await client.call("deleteRecordingsById", { id }); go("/recordings"); }}><p>{t("recordings.removeText")}</p></ConfirmDialog>
        )}
      </Page>
    )}</Read>
  );
}

/** What of it can be seen: nothing before a file of it is stored. */
function Films({ recording }: { recording: Recording }) {
  const { t } = useWords();
  const stored = (recording.files ?? []).filter(file => file.stored);
  if (stored.length > 0) return <Player id={recording.id} files={stored} />;
  return recording.state === "errored" ? null : <Card><p>{t(recording.endedAt ? "recordings.coming" : "recordings.running")}</p></Card>;
}

/** Addresses of the files, and how to get others: they are good for minutes, and a film takes longer. */
function useLinks(id: string) {
  const [links, setLinks] = useState<Links | null>(null), [fault, setFault] = useState<Fault | null>(null);
  const renew = useCallback(async () => {
    try {
      setLinks(await client.call("postRecordingsByIdLinks", { id }));
      setFault(null);
    } catch (thrown) {
      setFault(asFault(thrown));
    }
  }, [id]);
  return { links, fault, renew };
}

const speeds = ["0.5", "0.75", "1", "1.25", "1.5", "2"] as const;

function Player({ id, files }: { id: string; files: readonly RecordingFile[] }) {
  const { t, duration, number } = useWords();
  const { links, fault, renew } = useLinks(id);
  const [chosen, setChosen] = useState(files[0]!.number), [speed, setSpeed] = useState("1"), [isBroken, setBroken] = useState(false);
  const video = useRef<HTMLVideoElement>(null), place = useRef({ at: 0, plays: false, renewed: 0 });
  const file = files.find(one => one.number === chosen) ?? files[0]!, link = links?.items.find(one => one.number === file.number);
  const keep = () => {
    const element = video.current;
    if (element) place.current = { ...place.current, at: element.currentTime, plays: !element.paused };
  };
  // A file that has come since has an address as well, and others may be called by other numbers: the film goes on where it was.
  const stored = files.map(one => `${one.number} ${one.sha256}`).join();
  useEffect(() => {
    keep();
    void renew();
  }, [stored, renew]);
  useEffect(() => { if (video.current) video.current.playbackRate = Number(speed); }, [speed, link]);
  if (fault) return <FaultNote fault={fault} again={() => void renew()} />;
  if (!link) return <Card><Skeleton /></Card>;
  const choose = (next: number) => {
    place.current = { at: 0, plays: true, renewed: 0 };
    setBroken(false);
    setChosen(next);
  };
  // An address that is not good any more ends a film as a fault does: once a minute it gets another one, and goes on where it was.
  const failed = () => {
    if (Date.now() - place.current.renewed < 60_000) return setBroken(true);
    keep();
    place.current.renewed = Date.now();
    void renew();
  };
  const loaded = () => {
    const element = video.current, { at, plays } = place.current;
    if (!element) return;
    element.playbackRate = Number(speed);
    if (at > 0) element.currentTime = at;
    if (plays) element.play().catch(() => { /* The browser wants a press first. */ });
  };
  const ended = () => {
    const next = files[files.indexOf(file) + 1];
    if (next) choose(next.number);
  };
  return (
    <Card>
      <div className="preview">
        <video ref={video} key={link.url} src={link.url} controls playsInline preload="metadata" aria-label={t("recordings.film")} onLoadedMetadata={loaded} onError={failed} onEnded={ended} />
      </div>
      {isBroken && <p className="warn">{t("recordings.broken")}</p>}
      <div className="columns">
        {files.length > 1 && (
          <SelectField label={t("recordings.part")} value={String(file.number)} set={one => choose(Number(one))}
            options={files.map(one => [String(one.number), t("recordings.partOf", { number: number(one.number), time: duration(one.durationMs / 1000) })])} />
        )}
        <SelectField label={t("recordings.speed")} value={speed} set={setSpeed} options={speeds.map(one => [one, `${number(Number(one), one.length > 3 ? 2 : one.length > 1 ? 1 : 0)}×`])} />
      </div>
      <div className="buttons">
        <a className="button plain" href={link.url} download={link.name}>{t("recordings.download")}</a>
      </div>
      <Share link={link} until={links?.expiresAt ?? ""} />
    </Card>
  );
}

/** Whoever has it sees the film, signed in or not, for as long as it is good. */
function Share({ link, until }: { link: Links["items"][number]; until: string }) {
  const { t, time } = useWords();
  const [isShown, setShown] = useState(false);
  if (!isShown) return <Button small look="quiet" onClick={() => setShown(true)}>{t("recordings.share")}</Button>;
  return <><p className="muted">{t("recordings.shareText", { time: time(until) })}</p><Copy text={new URL(link.url, location.href).href} label={t("recordings.share")} /></>;
}
