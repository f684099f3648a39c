/** A signal that ends a request after so many milliseconds. */
export function within(milliseconds: number): AbortSignal {
  // TypeScript 4.8 does not know it yet; every browser since 2022 does.
  return (AbortSignal as unknown as { timeout(milliseconds: number): AbortSignal }).timeout(milliseconds);
}
