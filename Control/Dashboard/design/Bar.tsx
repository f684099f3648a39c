import { useId } from "react";

type Props = { label: string; value: number; most: number; words: string };

/** How much of something is used, as a bar and in words; from four fifths on it warns. */
export function Bar({ label, value, most, words }: Props) {
  const id = useId(), share = most > 0 ? value / most : 1;
  return (
    <div className="share">
      <p><span id={id}>{label}</span><span className={share >= 0.8 ? "warn" : "muted"}>{words}</span></p>
      <meter aria-labelledby={id} className={share >= 0.8 ? "near" : ""} min={0} max={Math.max(most, 1)} value={Math.min(value, most)}>{words}</meter>
    </div>
  );
}
