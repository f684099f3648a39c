import { useEffect, useId, useRef, useState } from "react";
import { useWords } from "../text/Text";
import { Button } from "./Button";
import { rasterized, type Frame } from "./rasterized";

/** Where a picture lies, or one that nobody has sent yet; empty: none. */
export type Picture = string | Blob;

type PictureProps = { label: string; hint?: string; remove: string; value: Picture; set: (picture: Picture) => void; frame: Frame; error?: string };

/** Asks for a picture and shows the one that there is; what is chosen is drawn anew here, and is a file of its points alone. */
export function PictureField({ label, hint, remove, value, set, frame, error }: PictureProps) {
  const { t } = useWords();
  const id = useId(), input = useRef<HTMLInputElement>(null), [isUnreadable, setUnreadable] = useState(false);
  const clear = () => { if (input.current) input.current.value = ""; };
  const choose = async (file: File | undefined) => {
    if (!file) return;
    const drawn = await rasterized(file, frame);
    setUnreadable(drawn === null);
    if (drawn) set(drawn); else clear();
  };
  const fault = error ?? (isUnreadable ? t("picture.unreadable") : undefined);
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input id={id} ref={input} type="file" accept="image/png,image/jpeg,image/webp" onChange={event => void choose(event.target.files?.[0])} aria-invalid={fault ? true : undefined} />
      {hint && <p className="hint">{hint}</p>}
      {fault && <p className="error" role="alert">{fault}</p>}
      {value && (
        <div className="buttons">
          <Shown picture={value} label={label} className="picture" />
          <Button small onClick={() => { clear(); set(""); }}>{remove}</Button>
        </div>
      )}
    </div>
  );
}

/** A picture that lies on the server, or one that does not yet: that is drawn, since a page shows none from elsewhere. */
export function Shown({ picture, label, className }: { picture: Picture; label: string; className: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (typeof picture === "string") return;
    let isOver = false;
    void createImageBitmap(picture).then(bitmap => {
      const element = canvas.current;
      if (!isOver && element) {
        [element.width, element.height] = [bitmap.width, bitmap.height];
        element.getContext("2d")?.drawImage(bitmap, 0, 0);
      }
      bitmap.close();
    });
    return () => { isOver = true; };
  }, [picture]);
  return typeof picture === "string" ? <img className={className} src={picture} alt={label} /> : <canvas className={className} ref={canvas} role="img" aria-label={label} />;
}
