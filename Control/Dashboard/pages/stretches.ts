import type { Diagnosis, HealthSnapshot } from "../api/Schema";

/** A time in which checks said the same. */
export type Stretch = {
  /** Of its last check. */
  id: string;
  from: string;
  to: string;
  status: Diagnosis["status"];
  /** What is amiss, part for part. */
  detail: string;
  checks: number;
  /** The longest that a part has taken. */
  slowestMs: number;
};

const amiss = (one: HealthSnapshot): string =>
  one.probes.filter(probe => probe.status !== "healthy").map(probe => `${probe.name}: ${probe.detail ?? probe.status}`).join("; ");

/**
 * Joins what followed each other and said the same, figures aside: a disk that has 900 MiB and then 899 is as it was.
 * @param snapshots the newest first; one that stands twice counts once.
 */
export function stretches(snapshots: readonly HealthSnapshot[]): Stretch[] {
  const found: (Stretch & { key: string })[] = [], seen = new Set<string>();
  for (const one of snapshots) {
    if (seen.has(one.id)) continue;
    seen.add(one.id);
    const detail = amiss(one), key = `${one.status} ${detail.replace(/\d+/g, "")}`, slowestMs = Math.max(0, ...one.probes.map(probe => probe.latencyMs));
    const last = found.at(-1);
    if (last?.key === key) {
      last.from = one.at;
      last.checks++;
      last.slowestMs = Math.max(last.slowestMs, slowestMs);
    } else found.push({ id: one.id, from: one.at, to: one.at, status: one.status, detail, checks: 1, slowestMs, key });
  }
  return found;
}
