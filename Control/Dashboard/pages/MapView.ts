import { width, type Point } from "./projection";

/** The part of the map that is shown: its upper left corner and how much of it lies side by side, in the map's units. */
export type View = { x: number; y: number; across: number };

/** Some 60 km: coastlines say nothing below that. */
const closest = width / 700;
/** What stands beside what is shown, in each direction, as a share of it. */
const margin = 0.2;

/** @param shape height by width of what it is shown on. */
export function bounded({ x, y, across }: View, shape: number): View {
  const wide = Math.min(Math.max(across, closest), width);
  const clamp = (value: number, most: number) => Math.min(Math.max(value, Math.min(0, most)), Math.max(0, most));
  return { x: clamp(x, width - wide), y: clamp(y, width - wide * shape), across: wide };
}

/** So that every point is seen; all that is inhabited where there is none. */
export function fitting(points: readonly Point[], shape: number): View {
  if (points.length === 0) return bounded({ x: 0, y: width * 0.16, across: width }, shape);
  const range = (axis: 0 | 1) => [Math.min(...points.map(point => point[axis])), Math.max(...points.map(point => point[axis]))] as const;
  const [left, right] = range(0), [top, bottom] = range(1);
  // A single one stands in its country, not in a void.
  const across = Math.max((right - left) * (1 + 2 * margin), ((bottom - top) * (1 + 2 * margin)) / shape, width / 24);
  return bounded({ x: (left + right - across) / 2, y: (top + bottom - across * shape) / 2, across }, shape);
}

/** @param at what stays where it is, as shares of what is shown. */
export function zoomed({ x, y, across }: View, factor: number, shape: number, at: Point = [0.5, 0.5]): View {
  const wide = Math.min(Math.max(across * factor, closest), width);
  return bounded({ x: x + (across - wide) * at[0], y: y + (across - wide) * shape * at[1], across: wide }, shape);
}

export const canZoomIn = ({ across }: View): boolean => across > closest * 1.01;

/** Those that would stand on each other come together; the first of each is its place. @param near in the points' own units. */
export function together<One>(all: readonly One[], point: (one: One) => Point, near: number): One[][] {
  const groups: { at: Point; members: One[] }[] = [];
  for (const one of all) {
    const [x, y] = point(one);
    const group = groups.find(({ at }) => Math.hypot(at[0] - x, at[1] - y) < near);
    if (group) group.members.push(one); else groups.push({ at: [x, y], members: [one] });
  }
  return groups.map(group => group.members);
}
