/** Louder is heard as speech: -35 dB of full scale, as a linear level of 0 to 1. Source: the threshold that WebRTC servers use for levels of RFC 6464. */
const loud = 0.0178;
/** Of so many looks so many have to be loud: a knock is no word. */
const looks = 4, enough = 2;
/** Between two words nobody is silent, in milliseconds. */
const held = 1200;
/** Who is shown as the speaker stays it for so long, where they still speak. */
const least = 2000;

/** Who speaks, by how loud everybody is at each look, some four times a second. Holds no clock. */
export class Speakers {
  private readonly heard = new Map<string, boolean[]>();
  private readonly loudAt = new Map<string, number>();
  private since = -Infinity;
  /** Those who speak now. */
  speaking: ReadonlySet<string> = new Set();
  /** Who is shown as the one who does; stays when all are silent. */
  speaker: string | null = null;
  /** When each of them spoke last. */
  get spoke(): ReadonlyMap<string, number> { return this.loudAt; }

  /**
   * @param levels of everybody who is there, 0 to 1.
   * @param now in milliseconds.
   * @returns whether anything has changed.
   */
  look(levels: ReadonlyMap<string, number>, now: number): boolean {
    for (const id of [...this.heard.keys()]) if (!levels.has(id)) this.forget(id);
    for (const [id, level] of levels) {
      const recent = [...(this.heard.get(id) ?? []), level >= loud].slice(-looks);
      this.heard.set(id, recent);
      if (recent.filter(Boolean).length >= enough) this.loudAt.set(id, now);
    }
    const before = [[...this.speaking].join(), this.speaker].join("/");
    this.speaking = new Set([...levels.keys()].filter(id => now - (this.loudAt.get(id) ?? -Infinity) < held));
    this.choose(levels, now);
    return before !== [[...this.speaking].join(), this.speaker].join("/");
  }

  private choose(levels: ReadonlyMap<string, number>, now: number): void {
    if (this.speaking.size === 0 || (this.speaker !== null && this.speaking.has(this.speaker) && now - this.since < least)) return;
    const loudest = [...this.speaking].sort((a, b) => (levels.get(b) ?? 0) - (levels.get(a) ?? 0))[0] ?? null;
    // Whoever still speaks gives way to nobody who is not twice as loud, and nobody takes over between two words.
    const mine = this.speaker !== null && this.speaking.has(this.speaker) ? levels.get(this.speaker) ?? 0 : 0;
    if (loudest === null || loudest === this.speaker || (levels.get(loudest) ?? 0) < Math.max(loud, 2 * mine)) return;
    [this.speaker, this.since] = [loudest, now];
  }

  private forget(id: string): void {
    this.heard.delete(id);
    this.loudAt.delete(id);
    if (this.speaker === id) this.speaker = null;
  }
}
