import type { Answer } from "../api/Client";
import { Link } from "../app/Router";
import { Button } from "../design/Button";
import type { Ending } from "../live/Room";
import { useWords } from "../text/Text";
import { Door } from "./Door";

/** Whoever is in this no more, as far as it is for them, comes in again. */
const returns: readonly Ending[] = ["left", "failed", "full", "locked", "replaced", "pass"];

/** Why one is in the meeting no more, and where one goes from here. */
export function RoomOver({ why, meeting, again }: { why: Ending; meeting?: Answer<"getMeetingsById">; again: () => void }) {
  const { t } = useWords();
  return (
    <Door title={t(`join.over.${why}`)}>
      <p>{t(`room.over.${why}`)}</p>
      <div className="buttons">
        {returns.includes(why) && <Button look="primary" onClick={again}>{t("room.back")}</Button>}
        {why === "signed-out" && <Link className="button primary" to="/login">{t("login.enter")}</Link>}
        {meeting && why !== "signed-out" && <Link className="button plain" to={`/meetings/${meeting.id}`}>{t("room.toMeeting")}</Link>}
        <Link className="button plain" to="/join">{t("room.other")}</Link>
      </div>
    </Door>
  );
}
