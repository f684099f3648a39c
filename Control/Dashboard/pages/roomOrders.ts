import { useMemo } from "react";
import { Fault } from "../api/Fault";
import { asFault } from "../api/Server";
import { tellFault } from "../design/Toast";
import { Refused, type Order } from "../live/Room";
import type { Call } from "../media/Call";
import { useWords, type Translate } from "../text/Text";

const known = ["forbidden", "off", "limited", "malformed", "missing", "outdated", "away", "lost"] as const;

/** Why a room has not done something, in words of ours. */
export function faultOf(thrown: unknown, t: Translate): Fault {
  if (!(thrown instanceof Refused)) return asFault(thrown);
  // How long to wait stands in its text alone.
  const seconds = thrown.reason === "limited" ? /again in (\d{1,4}) s/.exec(thrown.message)?.[1] : undefined;
  if (seconds !== undefined) return new Fault("too-many-requests", thrown.message, 0, [], Number(seconds));
  return new Fault("refused", t(`room.refused.${known.find(one => one === thrown.reason) ?? "failed"}`));
}

export type Orders = {
  /** @throws a `Fault` that can be shown. */
  ask: (order: Order) => Promise<void>;
  /** What has no place of its own for a refusal: that is said in passing. */
  send: (order: Order) => void;
};

/** What one has a room do. */
export function useOrders({ room }: Call): Orders {
  const { t } = useWords();
  return useMemo(() => {
    const ask = async (order: Order) => {
      try {
        await room.ask(order);
      } catch (thrown) {
        throw faultOf(thrown, t);
      }
    };
    return { ask, send: (order: Order) => void ask(order).catch(tellFault) };
  }, [room, t]);
}
