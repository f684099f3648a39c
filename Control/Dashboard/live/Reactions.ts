/** As the server has them. */
export const reactions = ["thumbs-up", "heart", "clap", "laugh", "party", "surprise", "sad", "thumbs-down"] as const;
export type Reaction = (typeof reactions)[number];
/** Nobody where they are not shown. */
export type Reacted = { participant?: string | null; reaction: Reaction };
/** What is shown of each. */
export const signs: Readonly<Record<Reaction, string>> = {
  "thumbs-up": "👍", "heart": "❤️", "clap": "👏", "laugh": "😂", "party": "🎉", "surprise": "😮", "sad": "😢", "thumbs-down": "👎",
};

export type Floating = Reacted & {
  id: number;
  /** Beside which others it rises, from 0. */
  lane: number;
  /** By the clock that it was added by. */
  until: number;
};

/** How long one is shown, in milliseconds; as the style sheet has it. */
export const lasting = 4000;
export const lanes = 6;
/** More at once nobody tells apart. */
const most = 24;

/** What rises over a room at the moment. Holds no clock. */
export class Floats {
  shown: readonly Floating[] = [];
  private next = 0;

  /** One that this version does not know is none. @param now in milliseconds. */
  add({ participant, reaction }: Reacted, now: number): void {
    if (!reactions.includes(reaction)) return;
    const id = this.next++;
    this.shown = [...this.shown, { id, participant: participant ?? null, reaction, lane: id % lanes, until: now + lasting }].slice(-most);
  }

  /** @returns when the next one is over; null: none is shown. */
  prune(now: number): number | null {
    this.shown = this.shown.filter(one => one.until > now);
    return this.shown[0]?.until ?? null;
  }
}
