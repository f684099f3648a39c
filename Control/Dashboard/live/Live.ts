import { useCallback, useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { access, client } from "../api/Server";
import type { Broadcast, BroadcastEvent } from "../api/Schema";
import { Feed, type FeedState } from "./Feed";
import { History } from "./History";
import { Picture, type Kind, type Topics } from "./Picture";
import { Thumbnails } from "./Thumbnails";
import { Witness } from "./Witness";

export const picture = new Picture();
export const history = new History();
export const witness = new Witness();
export const thumbnails = new Thumbnails(id => client.call("getBroadcastsByIdThumbnail", { id }));
export const feed = new Feed(client, access, (topic, body) => {
  history.note(topic, body, performance.now());
  witness.note(topic, body);
  picture.take(topic, body);
});

export const useFeed = (): FeedState => useSyncExternalStore(feed.watch, () => feed.state);
/** Whether everything that there is has been told. */
export const useIsWhole = (): boolean => useSyncExternalStore(feed.watch, () => feed.isWhole);

export function useAll<K extends Kind>(kind: K): ReadonlyMap<string, Topics[K]> {
  const watch = useCallback((watcher: () => void) => picture.watch(kind, watcher), [kind]);
  return useSyncExternalStore(watch, () => picture.all(kind));
}

export function useOne<K extends Kind>(kind: K, id: string): Topics[K] | undefined {
  const watch = useCallback((watcher: () => void) => picture.watch(`${kind}/${id}`, watcher), [kind, id]);
  return useSyncExternalStore(watch, () => picture.one(kind, id));
}

/** What the feed has told of what happened to a broadcast, and how often it may have missed something. */
export const useTold = (id: string): readonly BroadcastEvent[] => useSyncExternalStore(witness.watch, () => witness.of(id));
export const useGaps = (): number => useSyncExternalStore(witness.watch, () => witness.gaps);

/** What is shown at once when it changes. */
const states = (sample: Topics["telemetry"] | undefined) =>
  sample && [...sample.links.map(link => `${link.name} ${link.state} ${link.reason ?? ""}`), ...(sample.pipeline?.alarms ?? [])].join();

/** The last sample of a board: each second, as nobody reads figures faster, and at once where a link's state changed. */
export function useTelemetry(id: string): Topics["telemetry"] | undefined {
  const [sample, setSample] = useState(() => picture.one("telemetry", id));
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined, shown = "" as string | undefined;
    const show = () => {
      clearTimeout(timer);
      timer = undefined;
      const sample = picture.one("telemetry", id);
      shown = states(sample);
      setSample(sample);
    };
    show();
    const stop = picture.watch(`telemetry/${id}`, () => {
      if (states(picture.one("telemetry", id)) !== shown) show();
      // On the second: all that show it change together.
      else timer ??= setTimeout(show, 1000 - performance.now() % 1000);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [id]);
  return sample;
}

/** Calls back when the list of destinations has changed. */
export function useDestinationsChange(changed: () => void): void {
  useEffect(() => picture.watch("destinations", changed), [changed]);
}

export const newestFirst = (a: Broadcast, b: Broadcast): number => (a.createdAt < b.createdAt ? 1 : a.createdAt > b.createdAt ? -1 : 0);

/** The broadcast of a sender that is not over. */
export function useCurrent(sender: string): Broadcast | undefined {
  const all = useAll("broadcast");
  return useMemo(() => [...all.values()].find(one => one.sender === sender && one.state !== "ended"), [all, sender]);
}
