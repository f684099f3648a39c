export type Layer = { rid: string; scaleResolutionDownBy: number; maxBitrate: number };

/**
 * The layers of a camera's simulcast, the least first: a quarter, a half and all of it, as far as what is left of it can be watched.
 * @param height of the camera's picture, in lines.
 * @returns one alone has no name: then there is nothing to tell apart.
 */
export function ladder(height: number): readonly (Layer | Omit<Layer, "rid">)[] {
  const all = [{ rid: "q", scaleResolutionDownBy: 4 }, { rid: "h", scaleResolutionDownBy: 2 }, { rid: "f", scaleResolutionDownBy: 1 }];
  const layers = all.filter(one => height / one.scaleResolutionDownBy >= 150).map(one => ({ ...one, maxBitrate: bitrate(height / one.scaleResolutionDownBy) }));
  if (layers.length > 1) return layers;
  return [{ scaleResolutionDownBy: 1, maxBitrate: bitrate(height) }];
}

/** Bits per second at which a face is sharp, of so many lines. */
const bitrate = (lines: number): number => (lines >= 1000 ? 3_000_000 : lines >= 700 ? 1_700_000 : lines >= 340 ? 500_000 : 150_000);
