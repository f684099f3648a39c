export type Quality = "good" | "average" | "poor";

/** What was counted of a way, or of a track, since it began. */
export type Count = {
  received: number;
  lost: number;
  /** Of pictures: how long they stood still in all, in seconds. */
  frozen: number;
  /** Seconds; null where it is not known. */
  roundTrip: number | null;
};

export const nothing: Count = { received: 0, lost: 0, frozen: 0, roundTrip: null };

export const sum = (one: Count, other: Count): Count => ({
  received: one.received + other.received, lost: one.lost + other.lost, frozen: one.frozen + other.frozen,
  roundTrip: one.roundTrip === null ? other.roundTrip : Math.max(one.roundTrip, other.roundTrip ?? 0),
});

/**
 * How good a way was between two looks.
 * @param seconds between them.
 * @returns null where nothing came, and nothing can be said.
 */
export function judge(before: Count, after: Count, seconds: number): Quality | null {
  const received = after.received - before.received, lost = Math.max(0, after.lost - before.lost), frozen = Math.max(0, after.frozen - before.frozen);
  // A connection that was made anew begins to count anew.
  if (received < 0 || received + lost < 5 || seconds <= 0) return null;
  const share = lost / (received + lost), wait = after.roundTrip ?? 0, still = frozen / seconds;
  if (share >= 0.1 || wait >= 0.6 || still >= 0.3) return "poor";
  return share >= 0.03 || wait >= 0.3 || still > 0 ? "average" : "good";
}

const order: readonly Quality[] = ["poor", "average", "good"];

/** The worst of them; null of none. */
export const worst = (...all: (Quality | null)[]): Quality | null => order.find(one => all.includes(one)) ?? null;
