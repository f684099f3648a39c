/** A line that stayed, went or came. */
export type Line = { kind: "same" | "gone" | "new"; text: string };

/** Pairs of lines that are compared at most; texts that differ more are told apart as a whole. */
const limit = 4_000_000;

/** What has to be done to the lines of one text to make them those of another, by their longest common subsequence. */
export function lineDifferences(before: string, after: string): Line[] {
  const [a, b] = [lines(before), lines(after)];
  let first = 0, last = 0;
  while (first < a.length && first < b.length && a[first] === b[first]) first++;
  while (last < a.length - first && last < b.length - first && a[a.length - 1 - last] === b[b.length - 1 - last]) last++;
  const [old, now] = [a.slice(first, a.length - last), b.slice(first, b.length - last)];
  const same = (text: string): Line => ({ kind: "same", text });
  return [...a.slice(0, first).map(same), ...middle(old, now), ...a.slice(a.length - last).map(same)];
}

const lines = (text: string): string[] => text === "" ? [] : text.replace(/\n$/, "").split("\n");

function middle(old: readonly string[], now: readonly string[]): Line[] {
  const gone = (text: string): Line => ({ kind: "gone", text }), fresh = (text: string): Line => ({ kind: "new", text });
  if (old.length * now.length > limit) return [...old.map(gone), ...now.map(fresh)];
  // common[i][j]: of what follows the first i and j lines.
  const width = now.length + 1, common = new Uint32Array((old.length + 1) * width);
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = now.length - 1; j >= 0; j--) {
      common[i * width + j] = old[i] === now[j] ? common[(i + 1) * width + j + 1]! + 1 : Math.max(common[(i + 1) * width + j]!, common[i * width + j + 1]!);
    }
  }
  const found: Line[] = [];
  let i = 0, j = 0;
  while (i < old.length || j < now.length) {
    if (i < old.length && j < now.length && old[i] === now[j]) {
      found.push({ kind: "same", text: old[i]! });
      [i, j] = [i + 1, j + 1];
    } else if (j === now.length || (i < old.length && common[(i + 1) * width + j]! >= common[i * width + j + 1]!)) found.push(gone(old[i++]!));
    else found.push(fresh(now[j++]!));
  }
  return found;
}
