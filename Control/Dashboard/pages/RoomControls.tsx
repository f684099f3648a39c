import { useState } from "react";
import type { Answer } from "../api/Client";
import { client, useAccess } from "../api/Server";
import { ConfirmDialog, Dialog } from "../design/Dialog";
import { Button } from "../design/Button";
import { Icon, type IconName } from "../design/Icon";
import { Menu } from "../design/Menu";
import { tell } from "../design/Toast";
import { isUp, type Powers } from "../live/Powers";
import type { Rights } from "../live/Rights";
import type { Person } from "../live/Room";
import { sends } from "../live/Tiles";
import type { Call, CallView, Doing } from "../media/Call";
import { useWords } from "../text/Text";
import { useOrders } from "./roomOrders";
import type { PanelName } from "./RoomPanel";
import { ReactionButtons } from "./RoomReactions";
import { ChatButton, RoomSigns } from "./RoomSigns";
import { DeviceFields, Obstacles, OwnLevel, useCapture } from "./DeviceFields";
import { RoomVitals } from "./RoomVitals";

type Props = {
  call: Call; view: CallView; may: Rights; powers: Powers; people: readonly Person[]; me: string; meeting: Answer<"getMeetingsById"> | undefined;
  isPhone: boolean; layout: "grid" | "speaker"; arrange: (layout: "grid" | "speaker") => void;
  panel: PanelName | null; openPanel: (panel: PanelName | null) => void; waiting: number;
  /** The meeting in a window of its own; null: there is no such thing. */
  float: (() => void) | null;
};

/** What one does oneself. What is under way turns until the server has confirmed it. */
export function RoomControls({ call, view, may, powers, people, me, meeting, isPhone, layout, arrange, panel, openPanel, waiting, float }: Props) {
  const { t, number } = useWords();
  const [isChoosing, setChoosing] = useState(false), [isEnding, setEnding] = useState(false), [isLooking, setLooking] = useState(false);
  const access = useAccess(), maySeeFigures = (access.is === "in" || access.is === "expired") && access.session.may.includes("diagnostics.view");
  const isHeard = view.microphone === "on" || view.microphone === "starting", isSeen = view.camera === "on" || view.camera === "starting";
  const { send } = useOrders(call), { isLocked } = call.room.conditions, own = people.find(one => one.id === me), isRaised = own !== undefined && isUp(own);
  const share = () => {
    if (view.screen === "on" || view.screen === "starting") return call.showNoScreen();
    const other = people.find(one => one.id !== me && sends(one, "screen"));
    if (other) tell(t("room.screenTaken", { name: other.name })); else void call.showScreen();
  };
  // A phone shows its screen to nobody.
  const screen = may.screen && "getDisplayMedia" in (navigator.mediaDevices ?? {});
  const isShown = view.screen === "on" || view.screen === "starting";
  const toggle = () => arrange(layout === "grid" ? "speaker" : "grid");
  const other = t(layout === "grid" ? "room.layoutSpeaker" : "room.layoutGrid");
  return (
    <div className="room-controls" role="group" aria-label={t("room.controls")}>
      {may.microphone && <Control doing={view.microphone} icon={isHeard ? "microphone" : "muted"} text={t(isHeard ? "room.mute" : "room.unmute")} act={() => call.hear(!isHeard)} />}
      {may.camera && <Control doing={view.camera} icon={isSeen ? "camera" : "unseen"} text={t(isSeen ? "room.unsee" : "room.see")} act={() => call.see(!isSeen)} />}
      {screen && !isPhone && <Control doing={view.screen} icon="screen" text={t(isShown ? "room.unshare" : "room.share")} act={share} />}
      {!isPhone && <button type="button" className="control" data-tip={other} aria-label={other} onClick={toggle}><Icon name={layout === "grid" ? "speaker" : "grid"} /></button>}
      <RoomSigns call={call} powers={powers} own={own} isPhone={isPhone} />
      {(powers.read || powers.write) && <ChatButton unread={call.room.chat.unread} isOpen={panel === "chat"} open={isOpen => openPanel(isOpen ? "chat" : null)} />}
      {may.people && <button type="button" id="open-people" className="control" aria-expanded={panel === "people"} aria-controls="people" data-tip={t("join.people")}
        aria-label={t("room.peopleOf", { count: people.length })} onClick={() => openPanel(panel === "people" ? null : "people")}>
        <Icon name="members" /><span className="count" aria-hidden="true">{number(people.length)}</span>
        {waiting > 0 && <span className="waits" aria-hidden="true">{number(waiting)}</span>}
      </button>}
      <Menu label={t("room.more")} button={<Icon name="more" />}>{close => (
        <>
          {screen && isPhone && <Button onClick={() => { close(); share(); }}><Icon name="screen" />{t(isShown ? "room.unshare" : "room.share")}</Button>}
          {isPhone && <ReactionButtons send={send} close={close} />}
          {isPhone && powers.hand && !powers.asks && <Button onClick={() => { close(); send({ type: "hand", body: { isUp: !isRaised } }); }}><Icon name="hand" />{t(isRaised ? "room.hand.lower" : "room.hand.raise")}</Button>}
          {powers.moderate && <Button onClick={() => { close(); send({ type: "lock", body: { isOn: !isLocked } }); }}><Icon name="lock" />{t(isLocked ? "room.unlock" : "room.lock")}</Button>}
          {float && <Button onClick={() => { close(); float(); }}><Icon name="float" />{t("room.floatAll")}</Button>}
          {isPhone && <Button onClick={() => { close(); toggle(); }}><Icon name={layout === "grid" ? "speaker" : "grid"} />{other}</Button>}
          <Button onClick={() => { close(); setChoosing(true); }}><Icon name="loud" />{t("room.devices")}</Button>
          {maySeeFigures && <Button onClick={() => { close(); setLooking(true); }}><Icon name="health" />{t("vitals.title")}</Button>}
          {document.fullscreenEnabled && <Button onClick={() => { close(); void whole(); }}><Icon name="grid" />{t("room.full")}</Button>}
          {meeting?.mayRun && <Button look="grave" onClick={() => { close(); setEnding(true); }}>{t("meetings.end")}</Button>}
        </>
      )}</Menu>
      <button type="button" className="control leave" data-tip={t("join.leave")} aria-label={t("join.leave")} onClick={() => call.room.leave()}><Icon name="leave" /></button>
      {isChoosing && <Devices may={may} close={() => setChoosing(false)} />}
      {isLooking && <RoomVitals call={call} people={people} me={me} close={() => setLooking(false)} />}
      {isEnding && meeting && (
        <ConfirmDialog title={t("meetings.end")} submit={t("meetings.end")} close={() => setEnding(false)} act={() => client.call("postMeetingsByIdEnd", { id: meeting.id })}>
          <p>{t("meetings.endText")}</p>
        </ConfirmDialog>
      )}
    </div>
  );
}

/** The meeting alone, or the browser around it again. */
async function whole(): Promise<void> {
  try {
    if (document.fullscreenElement) await document.exitFullscreen(); else await document.documentElement.requestFullscreen();
  } catch {
    // The browser does not let us: nothing has changed, and that is seen.
  }
}

/** One of one's own: pressed while it is on, and turning until that is so. */
function Control({ doing, icon, text, act }: { doing: Doing; icon: IconName; text: string; act: () => void }) {
  const isBusy = doing === "starting" || doing === "stopping";
  return (
    <button type="button" className={`control ${doing}`} data-doing={doing} data-tip={text} aria-label={text} aria-busy={isBusy} onClick={act}>
      <Icon name={icon} />{isBusy && <span className="spinner" />}
    </button>
  );
}

/** Other devices, while one is in: each is used from the moment that it is chosen. */
function Devices({ may, close }: { may: Rights; close: () => void }) {
  const { t } = useWords();
  const { tracks } = useCapture();
  return (
    <Dialog title={t("room.devices")} close={close}>
      <div className="stack">
        <DeviceFields may={may} />
        {may.microphone && tracks.microphone && <OwnLevel track={tracks.microphone} />}
        <Obstacles may={may} />
        <div className="buttons"><Button onClick={close}>{t("close")}</Button></div>
      </div>
    </Dialog>
  );
}
