import { useEffect, useRef } from "react";
import { join } from "./Beat";
import { colours, paint, top, type Curve } from "./Painter";

type ChartProps = {
  /** What it shows, for those who do not see it; its figures stand beside it as text. */
  label: string;
  curves: () => readonly Curve[];
  /** How the highest value of its scale is written. */
  scale: (value: number) => string;
  /** The least that its scale reaches to. */
  floor: number;
  height?: number;
};

/** The last minute of some figures, drawn on a canvas outside of React. */
export function Chart({ label, curves, scale, floor, height = 72 }: ChartProps) {
  const canvas = useRef<HTMLCanvasElement>(null), most = useRef<HTMLSpanElement>(null);
  const latest = useRef({ curves, scale, floor });
  latest.current = { curves, scale, floor };
  useEffect(() => {
    const element = canvas.current, context = element?.getContext("2d");
    if (!element || !context) return;
    let isSeen = true, width = 0, theme = "", look = colours();
    const fit = () => {
      const ratio = devicePixelRatio || 1;
      width = element.clientWidth;
      element.width = Math.round(width * ratio);
      element.height = Math.round(height * ratio);
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
    };
    const draw = () => {
      if (!isSeen || width === 0) return;
      const { theme: mode, accent } = document.documentElement.dataset;
      if (theme !== `${mode} ${accent}`) {
        theme = `${mode} ${accent}`;
        look = colours();
      }
      const now = performance.now(), shown = latest.current.curves(), limit = top(shown, now, latest.current.floor);
      paint(context, width, height, shown, limit, now, look);
      const text = latest.current.scale(limit);
      if (most.current && most.current.textContent !== text) most.current.textContent = text;
    };
    const sight = new IntersectionObserver(([entry]) => { isSeen = entry?.isIntersecting ?? true; });
    const size = new ResizeObserver(() => { fit(); draw(); });
    sight.observe(element);
    size.observe(element);
    const leave = join(draw);
    return () => {
      leave();
      sight.disconnect();
      size.disconnect();
    };
  }, [height]);
  return (
    <div className="chart">
      <canvas ref={canvas} role="img" aria-label={label} style={{ height }} />
      <span className="most" ref={most} aria-hidden="true" />
    </div>
  );
}
