/**
 * Where a place of the earth lies on the map of senders: Mercator's projection, in which the world is square. What is drawn when the
 * application is built (`build/coast.mjs`) and what is drawn in a browser lie on one map.
 */

/** The map's units around the equator: one is 2.8 km there. */
export const width = 14_400;
/** In degrees: what lies nearer to a pole is drawn here. */
const northernmost = 84;

export type Spot = { latitude: number; longitude: number };
export type Point = readonly [x: number, y: number];

export const across = (longitude: number): number => ((longitude + 180) / 360) * width;

export function down(latitude: number): number {
  const angle = (Math.max(-northernmost, Math.min(northernmost, latitude)) * Math.PI) / 180;
  return width / 2 - (Math.log(Math.tan(Math.PI / 4 + angle / 2)) / (2 * Math.PI)) * width;
}

export const place = ({ latitude, longitude }: Spot): Point => [across(longitude), down(latitude)];
