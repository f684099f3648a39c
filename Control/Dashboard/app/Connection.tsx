import { useEffect, useState } from "react";
import { Button } from "../design/Button";
import { feed, useFeed } from "../live/Live";
import { useWords } from "../text/Text";

/** Whether what is shown is how it is; where not, since when it is tried again. */
export function Connection() {
  const { t } = useWords();
  const state = useFeed();
  const [now, setNow] = useState(() => performance.now());
  // Who has left has no feed.
  useEffect(() => () => { delete document.documentElement.dataset.feed; }, []);
  useEffect(() => {
    document.documentElement.dataset.feed = state.is;
    if (state.is !== "lost") return;
    setNow(performance.now());
    const timer = setInterval(() => setNow(performance.now()), 500);
    return () => clearInterval(timer);
  }, [state]);
  const seconds = state.is === "lost" ? Math.max(0, Math.ceil((state.againAt - now) / 1000)) : 0;
  return (
    <div className={`connection ${state.is}`} role="status">
      <span className="dot" aria-hidden="true" />
      <span>{state.is === "lost" ? t("connection.lost", { seconds }) : t(`connection.${state.is}`)}</span>
      {state.is === "lost" && <Button small onClick={() => feed.now()}>{t("again")}</Button>}
    </div>
  );
}
