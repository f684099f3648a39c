import { useEffect } from "react";

/** Reads again now and then what the feed does not tell, while the page is looked at. */
export function useEvery(milliseconds: number, again: () => void): void {
  useEffect(() => {
    const timer = setInterval(() => { if (!document.hidden) again(); }, milliseconds);
    return () => clearInterval(timer);
  }, [milliseconds, again]);
}
