import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from "react";
import { Access, type Action } from "./Access";
import { Client, type Answer, type Operation, type Path } from "./Client";
import { Fault } from "./Fault";
import { Reports } from "./Report";
import type { Session } from "./Schema";

/** The one server that the page came from. */
export const access = new Access();
export const client = new Client(access);
export const reports = new Reports(access);

export const useAccess = () => useSyncExternalStore(access.watch, () => access.state);

/** Whoever is signed in; pages behind the sign-in have one. */
export function useSession(): Session {
  const state = useAccess();
  if (state.is === "in" || state.is === "expired") return state.session;
  throw new Error("a page behind the sign-in is shown to nobody else");
}

export function useMay(): (action: Action) => boolean {
  const { may } = useSession();
  return action => may.includes(action);
}

export type Reading<Value> = { value?: Value; fault?: Fault; again: () => void };

/** Reads when it is shown, when the path changes and when asked again; what was read stays meanwhile. */
export function useReading<Name extends Operation>(name: Name, path: Path<Name>): Reading<Answer<Name>> {
  const [state, setState] = useState<{ value?: Answer<Name>; fault?: Fault; of?: string }>({});
  const key = JSON.stringify(path);
  const latest = useRef(0);
  const again = useCallback(() => {
    const number = ++latest.current;
    client.call(name, JSON.parse(key) as Path<Name>).then(
      value => { if (number === latest.current) setState({ value, of: key }); },
      (fault: unknown) => { if (number === latest.current) setState(before => ({ ...(before.of === key ? before : {}), fault: asFault(fault) })); },
    );
  }, [name, key]);
  useEffect(() => {
    again();
    return () => { latest.current++; };
  }, [again]);
  // Who signs in again over the page gets what was refused meanwhile.
  const isRefused = state.fault?.kind === "not-signed-in", isIn = useAccess().is === "in";
  useEffect(() => { if (isRefused && isIn) again(); }, [isRefused, isIn, again]);
  return { ...(state.of === key || state.fault ? state : {}), again };
}

/** Whatever was thrown; what is no fault of a request is a fault of ours. */
export const asFault = (thrown: unknown): Fault =>
  thrown instanceof Fault ? thrown : new Fault("program", thrown instanceof Error ? thrown.message : String(thrown));
