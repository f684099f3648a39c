/** When to dial again: 1 s doubling to 15 s, less up to half. Holds no clock and opens nothing. */
export class Redial {
  private failures = 0;

  /** @param jitter 0 up to 1, drawn by the caller. @returns the wait in milliseconds. */
  failed(jitter: number): number {
    this.failures = Math.min(this.failures + 1, 5);
    return Math.min(15_000, 1000 * 2 ** (this.failures - 1)) * (1 - jitter / 2);
  }

  answered(): void { this.failures = 0; }
}
