import type { ReactNode } from "react";

export type Tone = "good" | "warn" | "bad" | "live" | "none";

/** A state in a word; its colour only says it again. */
export const Badge = ({ tone = "none", children }: { tone?: Tone; children: ReactNode }) =>
  <span className={`badge ${tone}`}><span className="dot" aria-hidden="true" />{children}</span>;
