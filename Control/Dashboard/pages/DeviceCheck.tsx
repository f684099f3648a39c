import { useEffect } from "react";
import { Button } from "../design/Button";
import { Icon } from "../design/Icon";
import { lacking } from "../live/Devices";
import { rights, type PresetName } from "../live/Rights";
import { capture } from "../media/Capture";
import { useWords } from "../text/Text";
import { DeviceFields, Obstacles, OwnLevel, useCapture } from "./DeviceFields";
import { Video } from "./RoomMedia";

/** How one will be seen and heard, before one is: nothing of it leaves this browser. */
export default function DeviceCheck({ preset }: { preset: PresetName }) {
  const { t } = useWords();
  const lack = lacking(window);
  if (lack) return <p className="room-obstacle" role="alert">{t(`room.obstacle.${lack}`)}</p>;
  return <Check preset={preset} />;
}

function Check({ preset }: { preset: PresetName }) {
  const { t } = useWords();
  const { choice, tracks, isOpening } = useCapture(), may = rights(preset);
  useEffect(() => {
    const release = capture.hold(), { isSeen, isHeard } = capture.view.choice;
    void capture.open(...(may.camera && isSeen ? ["camera" as const] : []), ...(may.microphone && isHeard ? ["microphone" as const] : []));
    return release;
  }, [may.camera, may.microphone]);
  const see = (isSeen: boolean) => {
    capture.prefer({ isSeen });
    if (isSeen) void capture.open("camera"); else capture.shut("camera");
  };
  const hear = (isHeard: boolean) => {
    capture.prefer({ isHeard });
    if (isHeard) void capture.open("microphone"); else capture.shut("microphone");
  };
  return (
    <section className="check stack" aria-label={t("room.check")}>
      {may.camera && (
        <div className="film" role="img" aria-label={t(tracks.camera ? "room.preview" : "room.noPreview")}>
          {tracks.camera ? <Video track={tracks.camera} isOwn /> : isOpening ? <span className="spinner" /> : <Icon name="unseen" />}
        </div>
      )}
      {(may.camera || may.microphone) ? (
        <div className="buttons">
          {may.microphone && <Button aria-pressed={choice.isHeard} onClick={() => hear(!choice.isHeard)}>
            <Icon name={choice.isHeard ? "microphone" : "muted"} />{t(choice.isHeard ? "room.mute" : "room.unmute")}
          </Button>}
          {may.camera && <Button aria-pressed={choice.isSeen} onClick={() => see(!choice.isSeen)}>
            <Icon name={choice.isSeen ? "camera" : "unseen"} />{t(choice.isSeen ? "room.unsee" : "room.see")}
          </Button>}
        </div>
      ) : <p className="muted">{t("room.onlyWatch")}</p>}
      {may.microphone && tracks.microphone && <OwnLevel track={tracks.microphone} />}
      <Obstacles may={may} />
      <details>
        <summary>{t("room.devices")}</summary>
        <DeviceFields may={may} />
      </details>
    </section>
  );
}
