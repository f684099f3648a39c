import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import { ActButton, Button } from "../design/Button";
import { SelectField } from "../design/Field";
import { Icon } from "../design/Icon";
import { tellFault } from "../design/Toast";
import { present, type Device, type Kind } from "../live/Devices";
import type { Rights } from "../live/Rights";
import { capture, type CaptureView, type Own } from "../media/Capture";
import { choosesSpeaker, Meter, ring } from "../media/Sound";
import { useWords } from "../text/Text";

export const useCapture = (): CaptureView => useSyncExternalStore(capture.watch, () => capture.view);

/** Which camera, microphone and loudspeaker are used; a change holds at once. */
export function DeviceFields({ may }: { may: Rights }) {
  const { t } = useWords();
  const { choice, devices } = useCapture();
  const kinds: readonly Kind[] = [...(may.camera ? ["camera" as const] : []), ...(may.microphone ? ["microphone" as const] : []), ...(choosesSpeaker() ? ["speaker" as const] : [])];
  const name = (device: Device, at: number) => device.label || t("room.deviceNumber", { number: at + 1 });
  return (
    <div className="stack">
      {kinds.filter(kind => devices[kind].length > 0).map(kind => (
        <SelectField key={kind} label={t(`room.device.${kind}`)} value={present(choice[kind], devices[kind])} set={id => void capture.choose(kind, id)}
          options={[["", t("room.deviceSystem")], ...devices[kind].map((one, at) => [one.id, name(one, at)] as const)]} />
      ))}
      <div className="buttons"><ActButton small act={() => ring(choice.speaker)} failed={tellFault}><Icon name="loud" />{t("room.ring")}</ActButton></div>
    </div>
  );
}

/** What of one's own is not to be had, in plain words, and what helps. */
export function Obstacles({ may }: { may: Rights }) {
  const { t } = useWords();
  const { obstacles } = useCapture();
  const kinds: readonly Own[] = (["camera", "microphone"] as const).filter(kind => may[kind] && obstacles[kind]);
  return (
    <div className="stack" role="status">
      {kinds.map(kind => (
        <div key={kind} className="room-obstacle">
          <p><strong>{t(`room.device.${kind}`)}{": "}</strong>{t(`room.obstacle.${obstacles[kind] ?? "unknown"}`)}</p>
          <Button small onClick={() => void capture.open(kind)} aria-label={t("room.againOf", { device: t(`room.device.${kind}`) })}>{t("again")}</Button>
        </div>
      ))}
    </div>
  );
}

/** Quieter is at the left end, in dB of full scale. */
const quietest = -60;

/** How loud one is: the bar ten times a second, outside of React; in words whether anything is heard at all. */
export function OwnLevel({ track }: { track: MediaStreamTrack }) {
  const { t } = useWords();
  const bar = useRef<HTMLSpanElement>(null), [isHeard, setHeard] = useState(false);
  useEffect(() => {
    const meter = new Meter();
    let loudAt = -Infinity;
    meter.hear(track);
    const timer = setInterval(() => {
      const level = 20 * Math.log10(Math.max(meter.level(), 1e-6)), now = performance.now();
      if (level > -45) loudAt = now;
      if (bar.current) bar.current.style.transform = `scaleX(${Math.min(1, Math.max(0, 1 - level / quietest))})`;
      setHeard(now - loudAt < 1500);
    }, 100);
    return () => {
      clearInterval(timer);
      meter.close();
    };
  }, [track]);
  const words = t(isHeard ? "room.heard" : "room.unheard");
  return (
    <div className="meter" role="meter" aria-label={t("room.level")} aria-valuemin={0} aria-valuemax={1} aria-valuenow={isHeard ? 1 : 0} aria-valuetext={words}>
      <span className="track" aria-hidden="true"><span className="bar" ref={bar} /></span>
      <span className="value" aria-hidden="true">{words}</span>
    </div>
  );
}
