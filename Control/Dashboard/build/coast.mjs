// Makes the land of the map of senders of a shapefile, GSHHS_c_L1.shp: a JSON string that is a path of SVG in the map's own units
// (`pages/projection.ts`). Bundled first, as `ci/dashboard` does. Coastlines of GSHHG (Wessel and Smith, LGPL), read as an ESRI shapefile (its technical description of 1998).
import { readFileSync } from "node:fs";
import { across, down } from "../pages/projection";

/** In the map's units: what lies nearer to a line than this is left out, and islands that are smaller. */
const tolerance = 1.4, smallest = 6;
/** Antarctica has no senders, and on this projection no end. */
const southernmost = -60;

/** The rings of every polygon, each as points of longitude and latitude. */
function rings(file) {
  const found = [];
  for (let at = 100; at + 8 <= file.length;) {
    const content = at + 8, length = file.readInt32BE(at + 4) * 2;
    if (file.readInt32LE(content) === 5) {
      const parts = file.readInt32LE(content + 36), points = file.readInt32LE(content + 40), first = content + 44 + parts * 4;
      for (let part = 0; part < parts; part++) {
        const from = file.readInt32LE(content + 44 + part * 4), to = part + 1 < parts ? file.readInt32LE(content + 48 + part * 4) : points;
        found.push(Array.from({ length: to - from }, (_, index) => [0, 8].map(offset => file.readDoubleLE(first + (from + index) * 16 + offset))));
      }
    }
    at = content + length;
  }
  return found;
}

/** Douglas and Peucker's. */
function simplified(points) {
  const kept = new Set([0, points.length - 1]), open = [[0, points.length - 1]];
  while (open.length > 0) {
    const [from, to] = open.pop(), [ax, ay] = points[from], [bx, by] = points[to], size = Math.hypot(bx - ax, by - ay);
    let worst = 0, furthest = tolerance;
    for (let index = from + 1; index < to; index++) {
      const [x, y] = points[index];
      const distance = size === 0 ? Math.hypot(x - ax, y - ay) : Math.abs((bx - ax) * (ay - y) - (ax - x) * (by - ay)) / size;
      if (distance > furthest) [worst, furthest] = [index, distance];
    }
    if (worst === 0) continue;
    kept.add(worst);
    open.push([from, worst], [worst, to]);
  }
  return points.filter((_, index) => kept.has(index));
}

const area = points => Math.abs(points.reduce((sum, [x, y], index) => {
  const [nextX, nextY] = points[(index + 1) % points.length];
  return sum + x * nextY - nextX * y;
}, 0)) / 2;

/** What lies beyond an edge of the world comes back at the other one: a ring stays in one piece. */
function path(ring) {
  const points = simplified(ring.map(([longitude, latitude]) => [across(longitude), down(latitude)])).map(point => point.map(Math.round));
  if (points.length < 4 || area(points) < smallest) return "";
  let [x, y] = points[0], text = `M${x} ${y}l`;
  for (const [nextX, nextY] of points.slice(1, -1)) {
    text += `${nextX - x} ${nextY - y} `;
    [x, y] = [nextX, nextY];
  }
  return `${text.trim()}z`.replaceAll(" -", "-");
}

const land = rings(readFileSync(process.argv[2])).filter(ring => ring.some(([, latitude]) => latitude > southernmost)).map(path).join("");
if (land.length < 10_000) throw new Error(`only ${land.length} bytes of land in ${process.argv[2]}`);
process.stdout.write(JSON.stringify(land));
