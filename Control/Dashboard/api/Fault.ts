import type { Problem } from "./Schema";

/** Why a request has no answer: what the server said, or that it did not. */
export class Fault extends Error {
  /**
   * @param kind the problem's stable name, `not-found`; `unreachable` where nothing came back in time, `unreadable` where it was no problem.
   * @param retryAfter seconds, of a 429.
   */
  constructor(
    readonly kind: string,
    message: string,
    readonly status = 0,
    readonly fields: readonly { field: string; expected: string }[] = [],
    readonly retryAfter = 0,
  ) {
    super(message);
  }

  static async of(answer: Response): Promise<Fault> {
    const retryAfter = Math.min(Number(answer.headers.get("Retry-After")) || 0, 3600);
    try {
      const problem = (await answer.json()) as Problem;
      const kind = problem.type.split("/").pop() ?? "";
      return new Fault(kind, problem.detail || problem.title, answer.status, problem.faults ?? [], retryAfter);
    } catch {
      // A proxy's page, or a body that was cut: its status is all there is to tell.
      return new Fault("unreadable", `${answer.status} ${answer.statusText}`, answer.status, [], retryAfter);
    }
  }

  static unreachable(cause: unknown): Fault {
    return new Fault("unreachable", cause instanceof Error ? cause.message : String(cause));
  }

  /** What is wrong with one field. */
  about(field: string): string | undefined {
    return this.fields.find(one => one.field === field)?.expected;
  }
}
