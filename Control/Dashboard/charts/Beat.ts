/** Draws every chart that is in sight, twice a second, by one timer; nothing while the page is hidden or no chart is there. */
const drawings = new Set<() => void>();
const interval = 500;
let timer: ReturnType<typeof setInterval> | undefined;

function beat(): void {
  if (document.hidden) return;
  requestAnimationFrame(() => { for (const draw of drawings) draw(); });
}

export function join(draw: () => void): () => void {
  drawings.add(draw);
  timer ??= setInterval(beat, interval);
  return () => {
    drawings.delete(draw);
    if (drawings.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}
