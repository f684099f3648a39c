import { useEffect, useRef, useState } from "react";
import { client, useMay } from "../api/Server";
import { Button } from "../design/Button";
import { Card } from "../design/Page";
import { LivePreview, type PreviewState } from "../live/Preview";
import { useWords } from "../text/Text";
import { PlayerLinks } from "./PlayerLinks";

/** What a running broadcast shows, live: made and sent only while it is open. */
export function Preview({ broadcast, name }: { broadcast: string; name: string }) {
  const { t } = useWords();
  const [isOpen, setOpen] = useState(false), may = useMay();
  const actions = (
    <>
      {may("broadcasts.run") && <PlayerLinks broadcast={broadcast} />}
      <Button aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>{t(isOpen ? "preview.close" : "preview.open")}</Button>
    </>
  );
  return (
    <Card title={t("preview.title")} actions={actions}>
      {isOpen ? <Screen broadcast={broadcast} name={name} /> : <p className="muted">{t("preview.text")}</p>}
    </Card>
  );
}

function Screen({ broadcast, name }: { broadcast: string; name: string }) {
  const { t } = useWords();
  const video = useRef<HTMLVideoElement>(null);
  const [state, setState] = useState<PreviewState>({ is: "connecting" }), [attempt, setAttempt] = useState(0);
  const [isMuted, setMuted] = useState(true);
  // The attribute alone is read once.
  useEffect(() => { if (video.current) video.current.muted = isMuted; }, [isMuted]);
  useEffect(() => {
    if (!video.current) return;
    setState({ is: "connecting" });
    const preview = new LivePreview(client, broadcast, video.current, setState);
    preview.start();
    return () => preview.stop();
  }, [broadcast, attempt]);
  const said = state.is === "playing" ? null
    : state.is === "unsupported" ? t(state.codecs.startsWith("hvc1") ? "preview.noH265" : "preview.unsupported", { codecs: state.codecs })
    : state.is === "lost" ? [t("preview.lost"), state.reason].filter(Boolean).join(" ")
    : state.is === "refused" ? state.reason
    : t(`preview.${state.is}`);
  return (
    <div className="preview" data-state={state.is}>
      <video ref={video} muted playsInline aria-label={t("preview.of", { name })} />
      {said !== null && <p role="status">{said}</p>}
      {state.is === "playing" && <Button small onClick={() => setMuted(!isMuted)}>{t(isMuted ? "preview.unmute" : "preview.mute")}</Button>}
      {state.is === "refused" && <Button small onClick={() => setAttempt(attempt + 1)}>{t("again")}</Button>}
    </div>
  );
}
