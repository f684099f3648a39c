import { useEffect, useRef, useState } from "react";
import type { Broadcast } from "../api/Schema";
import { Card } from "../design/Page";
import { picture, useTelemetry } from "../live/Live";
import { useWords } from "../text/Text";
import { en, type Key } from "../text/en";

/** Quieter is at the left end; at or below it nobody hears anything (`SoundLevels.silence`). */
const quietest = -60;
/** A peak counts for so long, in milliseconds: between two words nobody is silent. */
const held = 1300;

/** What is wrong with picture and sound of a sender, in the reader's words. */
export function useAlarms(sender: string): string[] {
  const { t } = useWords();
  return (useTelemetry(sender)?.pipeline?.alarms ?? []).map(alarm => (`alarm.${alarm}` in en ? t(`alarm.${alarm}` as Key) : alarm));
}

/** A banner for each alarm; read out as it appears. */
export function Alarms({ broadcast }: { broadcast: Broadcast }) {
  const alarms = useAlarms(broadcast.sender);
  return <div className="stack" role="alert">{alarms.map(alarm => <Card key={alarm} tone="bad"><p className="reason">{alarm}</p></Card>)}</div>;
}

/** How loud each channel is, as it is encoded. */
export function Meters({ broadcast }: { broadcast: Broadcast }) {
  const { t } = useWords();
  const peak = useTelemetry(broadcast.sender)?.pipeline?.peak;
  if (!peak?.length) return null;
  return (
    <Card title={t("meters.title")}>
      <div className="meters">{peak.map((_, channel) => <Meter key={channel} sender={broadcast.sender} channel={channel} />)}</div>
    </Card>
  );
}

/** The bars as often as they are told: outside of React, and nothing but a transform. The figure is the loudest of what is held, each second. */
function Meter({ sender, channel }: { sender: string; channel: number }) {
  const { t } = useWords();
  const rms = useRef<HTMLSpanElement>(null), peak = useRef<HTMLSpanElement>(null), heard = useRef<{ at: number; level: number }[]>([]);
  const [isSilent, setSilent] = useState(false);
  useEffect(() => {
    const show = () => {
      const told = picture.one("telemetry", sender)?.pipeline, now = performance.now();
      heard.current = [...heard.current.filter(one => now - one.at < held), { at: now, level: told?.peak?.[channel] ?? quietest }];
      if (rms.current) rms.current.style.transform = `scaleX(${share(told?.rms?.[channel])})`;
      if (peak.current) peak.current.style.transform = `translateX(${share(loudest(heard.current)) * 100}%)`;
      setSilent(loudest(heard.current) <= quietest);
    };
    show();
    return picture.watch(`telemetry/${sender}`, show);
  }, [sender, channel]);
  const level = loudest(heard.current);
  const text = isSilent ? t("meters.silent") : t("meters.level", { level });
  return (
    <div className={`meter ${isSilent ? "silent" : level >= -3 ? "loud" : ""}`} role="meter" aria-label={t("meters.channel", { channel: channel + 1 })}
      aria-valuemin={quietest} aria-valuemax={0} aria-valuenow={Math.max(level, quietest)} aria-valuetext={text}>
      <span className="track" aria-hidden="true"><span className="bar" ref={rms} /><span className="peak" ref={peak} /></span>
      <span className="value" aria-hidden="true">{text}</span>
    </div>
  );
}

const share = (level: number | undefined): number => Math.min(Math.max(((level ?? quietest) - quietest) / -quietest, 0), 1);
const loudest = (heard: { level: number }[]): number => Math.max(quietest, ...heard.map(one => one.level));
