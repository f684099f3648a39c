import type { Access } from "./Access";
import { clock } from "./Clock";
import { Fault } from "./Fault";
import { operations, type Operations } from "./Schema";
import { within } from "./within";

export type Operation = keyof Operations;
export type Path<Name extends Operation> = Operations[Name]["path"];
export type Body<Name extends Operation> = Operations[Name]["body"];
export type Answer<Name extends Operation> = Operations[Name]["answer"];

/** How long an answer is waited for; what a board has to do first takes longer. */
const patience: Partial<Record<Operation, number>> = {
  postSendersByIdSpeedTest: 20_000, postSendersByIdModemReset: 15_000, putSendersByIdConfiguration: 15_000,
  // Behind another one that waits for the board.
  patchBroadcastsById: 30_000,
  // The whole of it, however slow the way.
  getBroadcastsByIdRecorder: 120_000,
};
/** A read that was refused for its number waits so long at most; a longer wait is a person's to choose. */
const longestWait = 10;

/** The REST API as the document describes it. */
export class Client {
  constructor(private readonly access: Access) {}

  async call<Name extends Operation>(name: Name, path: Path<Name>, body?: Body<Name>): Promise<Answer<Name>> {
    let answer = await this.send(name, path, body);
    if (answer.status === 401 && this.access.token !== null && await this.access.renew()) answer = await this.send(name, path, body);
    if (answer.status === 429 && operations[name][0] === "GET") {
      const seconds = Number(answer.headers.get("Retry-After")) || 1;
      if (seconds <= longestWait) {
        await new Promise(done => setTimeout(done, seconds * 1000));
        answer = await this.send(name, path, body);
      }
    }
    if (!answer.ok) throw await Fault.of(answer);
    try {
      return await content(answer) as Answer<Name>;
    } catch (cause) {
      throw Fault.unreachable(cause);
    }
  }

  private async send<Name extends Operation>(name: Name, path: Path<Name>, body?: Body<Name>): Promise<Response> {
    const [method, template] = operations[name];
    const names = path as Record<string, string>;
    const query = new URLSearchParams(Object.entries(names).filter(([key]) => !template.includes(`{${key}}`))).toString();
    const url = template.replace(/\{(\w+)\}/g, (_, key: string) => encodeURIComponent(names[key] ?? "")) + (query && `?${query}`);
    const headers: Record<string, string> = {};
    if (this.access.token !== null) headers.Authorization = `Bearer ${this.access.token}`;
    const isFile = body instanceof Blob;
    if (body !== undefined) headers["Content-Type"] = isFile ? body.type : "application/json";
    const signal = within(patience[name] ?? 10_000);
    try {
      const answer = await fetch(url, { method, headers, signal, ...(body !== undefined && { body: isFile ? body : JSON.stringify(body) }) });
      clock.note(answer);
      return answer;
    } catch (cause) {
      throw Fault.unreachable(cause);
    }
  }
}

async function content(answer: Response): Promise<unknown> {
  if (answer.status === 204) return undefined;
  const type = answer.headers.get("Content-Type") ?? "";
  return type.startsWith("application/json") ? answer.json() : answer.blob();
}
