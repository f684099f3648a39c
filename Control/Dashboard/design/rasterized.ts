/** How large a picture may be. */
export type Frame = { width: number; height: number; bytes: number; isSquare?: boolean };

/** PNG where it is small enough, as it loses nothing. */
const types: readonly (readonly [type: string, quality?: number])[] = [["image/png"], ["image/webp", 0.9], ["image/jpeg", 0.8], ["image/jpeg", 0.5]];

/**
 * A picture drawn anew: its points and nothing else that was in its file, fitted into a frame.
 * @returns null for what no browser shows, or what does not get small enough.
 */
export async function rasterized(file: Blob, frame: Frame): Promise<Blob | null> {
  let picture: ImageBitmap;
  try {
    picture = await createImageBitmap(file);
  } catch {
    return null;
  }
  const side = Math.min(picture.width, picture.height);
  const [width, height] = frame.isSquare ? [side, side] : [picture.width, picture.height];
  const scale = Math.min(1, frame.width / width, frame.height / height);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
  canvas.getContext("2d")?.drawImage(picture, (picture.width - width) / 2, (picture.height - height) / 2, width, height, 0, 0, canvas.width, canvas.height);
  picture.close();
  for (const [type, quality] of types) {
    const drawn = await new Promise<Blob | null>(done => canvas.toBlob(done, type, quality));
    if (drawn && drawn.type === type && drawn.size <= frame.bytes) return drawn;
  }
  return null;
}
