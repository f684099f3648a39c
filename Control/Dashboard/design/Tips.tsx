import { useEffect, useState } from "react";

/** How long somebody points at something before it says what it is. */
const patience = 500;

type Tip = { text: string; left: number; top: number };

/** What stands in words where it is not seen: a sign's own, or of a way that has no room for more. */
function tipOf(target: EventTarget | null): Tip | null {
  const element = target instanceof Element ? target.closest<HTMLElement>("[data-tip]") : null;
  if (!element || (element.textContent?.trim() && parseFloat(getComputedStyle(element).fontSize) > 1)) return null;
  const box = element.getBoundingClientRect(), text = element.dataset.tip ?? "";
  // Beside it; of signs that stand beside each other, below.
  if (element.closest("header")) return { text, left: Math.max(4, Math.min(box.left, innerWidth - 140)), top: box.bottom + 18 };
  return { text, left: Math.min(box.right + 8, innerWidth - 140), top: box.top + box.height / 2 };
}

/** Says what a sign means to whoever points at it or comes to it with the keyboard; those who hear the page are told by its name. */
export function Tips() {
  const [tip, setTip] = useState<Tip | null>(null);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const hide = () => { clearTimeout(timer); setTip(null); };
    const point = (event: Event) => {
      hide();
      const found = tipOf(event.target);
      if (found) timer = setTimeout(() => setTip(found), event.type === "focusin" ? 0 : patience);
    };
    const escape = (event: KeyboardEvent) => { if (event.key === "Escape") hide(); };
    const events = [["pointerover", point], ["focusin", point], ["focusout", hide], ["pointerdown", hide], ["scroll", hide]] as const;
    for (const [name, hear] of events) document.addEventListener(name, hear, true);
    document.addEventListener("keydown", escape);
    return () => {
      for (const [name, hear] of events) document.removeEventListener(name, hear, true);
      document.removeEventListener("keydown", escape);
      clearTimeout(timer);
    };
  }, []);
  return tip && <div className="tip" role="tooltip" style={{ left: tip.left, top: tip.top }}>{tip.text}</div>;
}
