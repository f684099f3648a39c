import { useEffect, useRef, useState } from "react";
import { Button } from "../design/Button";
import { soundFrom } from "../media/Sound";
import type { Line } from "../media/Subscriber";
import { useWords } from "../text/Text";

/** A picture as it comes. It has no sound: that is played apart, whoever is shown. */
export function Video({ track, isOwn, fits }: { track: MediaStreamTrack; isOwn?: boolean; fits?: boolean }) {
  const element = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const video = element.current;
    if (!video) return;
    video.srcObject = new MediaStream([track]);
    // It is tried again with the next picture: without sound no browser forbids it.
    video.play().catch(() => undefined);
    return () => { video.srcObject = null; };
  }, [track]);
  return <video ref={element} className={[isOwn && "own", fits && "whole"].filter(Boolean).join(" ") || undefined} autoPlay playsInline muted />;
}

/** What everybody else says, from the chosen loudspeaker. */
export function Sounds({ lines, speaker }: { lines: readonly Line[]; speaker: string }) {
  const { t } = useWords();
  const [isBlocked, setBlocked] = useState(false), [turn, setTurn] = useState(0);
  return (
    <>
      {lines.map(line => <Sound key={`${line.participant} ${line.track}`} track={line.media} speaker={speaker} turn={turn} blocked={() => setBlocked(true)} />)}
      {isBlocked && (
        <p className="room-note warn" role="alert">
          {t("room.silent")}{" "}<Button small onClick={() => { setBlocked(false); setTurn(turn + 1); }}>{t("room.sound")}</Button>
        </p>
      )}
    </>
  );
}

type SoundProps = { track: MediaStreamTrack; speaker: string; turn: number; blocked: () => void };

function Sound({ track, speaker, turn, blocked }: SoundProps) {
  const element = useRef<HTMLAudioElement>(null), refuse = useRef(blocked);
  refuse.current = blocked;
  useEffect(() => {
    const audio = element.current;
    if (!audio) return;
    audio.srcObject = new MediaStream([track]);
    return () => { audio.srcObject = null; };
  }, [track]);
  useEffect(() => {
    // Some browsers want a press before they let a page be heard.
    element.current?.play().catch((thrown: Error) => { if (thrown.name === "NotAllowedError") refuse.current(); });
  }, [track, turn]);
  useEffect(() => { if (element.current) void soundFrom(element.current, speaker); }, [speaker]);
  return <audio ref={element} autoPlay />;
}
