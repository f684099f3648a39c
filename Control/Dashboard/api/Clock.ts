/** What time the server has: this machine's clock may be wrong, and everything is told in the server's times. */
export class Clock {
  private aheadMs = 0;

  /** The `Date` of an answer is of whole seconds, and of one from the browser's cache some seconds old: what is as near as that is the same. */
  note(answer: Response): void {
    const told = Date.parse(answer.headers.get("Date") ?? "");
    if (Number.isNaN(told)) return;
    const ahead = told + 500 - Date.now();
    this.aheadMs = Math.abs(ahead) < 4000 ? 0 : ahead;
  }

  /** Unix milliseconds. */
  now = (): number => Date.now() + this.aheadMs;
}

/** Of the one server that the page came from. */
export const clock = new Clock();
