import { useEffect, useState } from "react";
import { clock } from "../api/Clock";

/** Reads again now and then what the feed does not tell, while the page is looked at. */
export function useEvery(milliseconds: number, again: () => void): void {
  useEffect(() => {
    const timer = setInterval(() => { if (!document.hidden) again(); }, milliseconds);
    return () => clearInterval(timer);
  }, [milliseconds, again]);
}

/** The server's time in Unix milliseconds, anew each second while somebody needs it. */
export function useNow(isNeeded: boolean): number {
  const [now, setNow] = useState(clock.now);
  useEffect(() => {
    if (!isNeeded) return;
    setNow(clock.now());
    const timer = setInterval(() => setNow(clock.now()), 1000);
    return () => clearInterval(timer);
  }, [isNeeded]);
  return now;
}
