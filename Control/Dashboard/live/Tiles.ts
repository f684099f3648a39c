import type { Media, Person, Source } from "./Room";

/** Somebody's picture or name, or the screen that they show. */
export type Tile = { id: string; participant: string; kind: "person" | "screen" };

/** What is on the page: one or more that are large, and the others. */
export type Scene = {
  large: readonly Tile[];
  small: readonly Tile[];
  /** Of the small ones, from 0. */
  page: number;
  pages: number;
};

export type Wish = {
  /** A tile's id, which stays large. */
  pinned: string | null;
  layout: "grid" | "speaker";
  page: number;
  /** Who is large for all, in this order. */
  spotlight?: readonly string[];
};

/** How many pictures a page has (ROM-14), and beside a large one. */
export const capacities = { desktop: { grid: 25, beside: 8 }, phone: { grid: 6, beside: 4 } } as const;

export const mediaOf: Record<Source, Media> = { microphone: "audio", "screen-sound": "audio", camera: "video", other: "video", screen: "screen" };
/** Whether the server passes it on to nobody, whatever is sent. */
export const isHeld = (person: Person, source: Source): boolean => person.off?.includes(mediaOf[source]) ?? false;
export const sends = (person: Person, source: Source): boolean => person.tracks.some(track => track.source === source) && !isHeld(person, source);

export const personTile = (id: string): Tile => ({ id, participant: id, kind: "person" });
export const screenTile = (id: string): Tile => ({ id: `${id}/screen`, participant: id, kind: "screen" });

/**
 * Who is shown where. Everybody keeps their place while they can: only whoever speaks and would be out of sight comes onto the first page, for whoever has
 * not spoken for longest.
 * @param people in the order in which they came.
 * @param spoke when each of them spoke last, by any clock; who never did is not in it.
 * @param speaker who speaks now.
 */
export function arrange(
  people: readonly Person[], me: string, wish: Wish, spoke: ReadonlyMap<string, number>, speaker: string | null, capacity: { grid: number; beside: number },
): Scene {
  const screens = people.filter(one => sends(one, "screen")).map(one => screenTile(one.id));
  const all = people.map(one => personTile(one.id));
  const large = stage([...screens, ...all], screens, me, wish, speaker);
  const rest = all.filter(tile => !large.some(one => one.id === tile.id));
  const others = screens.filter(tile => !large.some(one => one.id === tile.id));
  const size = large.length > 0 ? capacity.beside : capacity.grid;
  const ordered = [...others, ...inSight(rest, me, spoke, Math.max(1, size - others.length))];
  const pages = Math.max(1, Math.ceil(ordered.length / size)), page = Math.min(Math.max(0, wish.page), pages - 1);
  return { large, small: ordered.slice(page * size, (page + 1) * size), page, pages };
}

/** What was pinned; else the screen that is shown, and whom a host has made large; else, where one is to be large, who speaks. */
function stage(tiles: readonly Tile[], screens: readonly Tile[], me: string, wish: Wish, speaker: string | null): readonly Tile[] {
  const pinned = tiles.find(tile => tile.id === wish.pinned);
  if (pinned) return [pinned];
  // Of several the one that another one shows: one's own is known.
  const shown = screens.find(tile => tile.participant !== me) ?? screens[0];
  const chosen = (wish.spotlight ?? []).flatMap(id => tiles.filter(tile => tile.id === id));
  if (shown || chosen.length > 0) return shown ? [shown, ...chosen] : chosen;
  if (wish.layout === "grid" || tiles.length < 2) return [];
  const others = tiles.filter(tile => tile.participant !== me);
  const speaking = others.find(tile => tile.participant === speaker) ?? others[0];
  return speaking ? [speaking] : [];
}

/** Oneself, and whoever spoke last, as many as there is room for; then the others. Each part in the order in which they came. */
function inSight(tiles: readonly Tile[], me: string, spoke: ReadonlyMap<string, number>, room: number): readonly Tile[] {
  if (tiles.length <= room) return tiles;
  const last = (tile: Tile) => (tile.participant === me ? Infinity : spoke.get(tile.participant) ?? -Infinity);
  const order = tiles.map((tile, at) => ({ tile, at })).sort((a, b) => (last(a.tile) === last(b.tile) ? a.at - b.at : last(b.tile) - last(a.tile)));
  const seen = new Set(order.slice(0, room).map(one => one.tile.id));
  return [...tiles.filter(tile => seen.has(tile.id)), ...tiles.filter(tile => !seen.has(tile.id))];
}

/**
 * The columns by which tiles of 16 to 9 become largest.
 * @param gap between two of them; all lengths in pixels.
 * @returns with the width of one tile.
 */
export function columns(count: number, width: number, height: number, gap: number): { columns: number; width: number } {
  let best = { columns: 1, width: 0 };
  for (let columns = 1; columns <= Math.max(1, count); columns++) {
    const rows = Math.ceil(count / columns) || 1;
    const wide = (width - gap * (columns - 1)) / columns, high = (height - gap * (rows - 1)) / rows;
    const size = Math.floor(Math.max(0, Math.min(wide, high * 16 / 9)));
    if (size > best.width) best = { columns, width: size };
  }
  return best;
}
