import { useMemo } from "react";
import { qrCode } from "./QRCode";

/** What has to stay light around it, in modules. */
const quiet = 4;

/** A text for a camera; nothing where it is too long for one code. */
export function QRPicture({ text, label }: { text: string; label: string }) {
  const rows = useMemo(() => qrCode(text), [text]);
  if (!rows) return null;
  const size = rows.length + 2 * quiet, path = rows.flatMap((row, y) => runs(row).map(([x, length]) => `M${x + quiet} ${y + quiet}h${length}v1h-${length}z`)).join("");
  return <svg className="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label} shapeRendering="crispEdges"><path d={path} /></svg>;
}

/** Where dark modules stand beside each other, and how many. */
function runs(row: readonly boolean[]): [x: number, length: number][] {
  const found: [number, number][] = [];
  for (const [x, isDark] of row.entries()) {
    if (!isDark) continue;
    const last = found[found.length - 1];
    if (last && last[0] + last[1] === x) last[1]++; else found.push([x, 1]);
  }
  return found;
}
