/** Between two reads: they are counted by themselves, but by the same limit. */
const pause = 1500;

/** Where a broadcast's picture is shown. */
export type Place = {
  /** @param at the time that the wish named. */
  show: (picture: ImageBitmap, at: string) => void;
};

type Wish = { broadcast: string; at: string };

/**
 * Reads the pictures of running broadcasts for whoever shows them: one after the other and with a pause, of each place the newest that it
 * waits for, and none while nobody looks.
 */
export class Thumbnails {
  private readonly waiting = new Map<Place, Wish>();
  private readonly gone = new WeakSet<Place>();
  private isReading = false;

  constructor(private readonly read: (broadcast: string) => Promise<Blob>) {}

  want(place: Place, broadcast: string, at: string): void {
    this.waiting.set(place, { broadcast, at });
    void this.readAll();
  }

  /** Nothing is shown there any more. */
  leave(place: Place): void {
    this.gone.add(place);
    this.waiting.delete(place);
  }

  private async readAll(): Promise<void> {
    if (this.isReading) return;
    this.isReading = true;
    // A map is walked with what is added meanwhile.
    for (const [place, { broadcast, at }] of this.waiting) {
      this.waiting.delete(place);
      try {
        const picture = await createImageBitmap(await this.read(broadcast));
        if (!this.gone.has(place)) place.show(picture, at);
        picture.close();
      } catch {
        // The next one comes within seconds; how old the shown one is stands beside it.
      }
      do await new Promise(done => setTimeout(done, pause)); while (document.hidden);
    }
    this.isReading = false;
  }
}
