import { span, type Series } from "../live/History";

export type Curve = { series: Series; look: "area" | "line" | "limit"; tone?: "warn" };

/** A hole in what was told is a hole in the curve. */
const longestStep = 3000;

export type Colours = { accent: string; warn: string; limit: string; grid: string };

export function colours(): Colours {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string) => style.getPropertyValue(name).trim();
  return { accent: read("--chart"), warn: read("--warn"), limit: read("--muted"), grid: read("--line") };
}

/** The highest figure of all curves, at least `floor`. */
export function top(curves: readonly Curve[], now: number, floor: number): number {
  let most = floor;
  for (const { series } of curves) series.each(now, (_, value) => { if (value > most) most = value; });
  return nice(most * 1.12);
}

/** The next of 1, 2, 2.5, 5 and 10 times a power of ten. */
export function nice(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 2.5, 5, 10].map(step => step * power).find(step => step >= value * 0.999) ?? value;
}

/** Draws the last minute; points closer than one of the screen's are left out. */
export function paint(context: CanvasRenderingContext2D, width: number, height: number, curves: readonly Curve[], most: number, now: number, look: Colours): void {
  context.clearRect(0, 0, width, height);
  context.lineWidth = 1;
  context.strokeStyle = look.grid;
  context.beginPath();
  for (const share of [0, 0.5, 1]) {
    const y = Math.round((height - 1) * share) + 0.5;
    context.moveTo(0, y);
    context.lineTo(width, y);
  }
  context.stroke();
  for (const curve of curves) draw(context, width, height, curve, most, now, look);
}

function draw(context: CanvasRenderingContext2D, width: number, height: number, curve: Curve, most: number, now: number, look: Colours): void {
  const line = new Path2D(), area = new Path2D();
  let from = NaN, before = -Infinity, x = -1;
  const close = () => {
    if (Number.isNaN(from)) return;
    area.lineTo(x, height);
    area.lineTo(from, height);
    from = NaN;
  };
  curve.series.each(now, (time, value) => {
    if (Number.isNaN(value)) return;
    const at = width * (1 - (now - time) / span), y = height - 1 - (height - 2) * Math.min(1, value / most);
    if (time - before > longestStep) {
      close();
      line.moveTo(at, y);
      area.moveTo(at, height);
      area.lineTo(at, y);
      from = at;
    } else if (at - x >= 1) {
      line.lineTo(at, y);
      area.lineTo(at, y);
    } else return;
    [before, x] = [time, at];
  });
  close();
  const colour = curve.tone === "warn" ? look.warn : look.accent;
  if (curve.look === "area") {
    context.globalAlpha = 0.18;
    context.fillStyle = colour;
    context.fill(area);
    context.globalAlpha = 1;
  }
  context.lineWidth = curve.look === "limit" ? 1 : 1.5;
  context.setLineDash(curve.look === "limit" ? [3, 3] : []);
  context.strokeStyle = curve.look === "limit" ? look.limit : colour;
  context.stroke(line);
  context.setLineDash([]);
}
