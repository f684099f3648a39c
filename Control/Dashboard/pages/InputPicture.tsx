import { useEffect, useRef, useState } from "react";
import { asFault, client } from "../api/Server";
import { useWords } from "../text/Text";

export type Look = { picture?: ImageBitmap; fault?: string };

/** Between two rounds: a sender makes one of an input each five seconds. */
const pause = 5000;

/** What inputs show, one read after the other, for as long as it is wanted and the page is seen. */
export function useLooks(sender: string, inputs: string, isWanted: boolean): ReadonlyMap<string, Look> {
  const [looks, setLooks] = useState<ReadonlyMap<string, Look>>(new Map());
  useEffect(() => {
    setLooks(new Map());
    if (!isWanted) return;
    let isOver = false;
    const note = (input: string, look: Look) => { if (!isOver) setLooks(before => new Map(before).set(input, look)); };
    const rest = (time: number) => new Promise(done => setTimeout(done, time));
    void (async () => {
      while (!isOver) {
        for (const input of inputs.split("\n")) {
          if (isOver) return;
          try {
            note(input, { picture: await createImageBitmap(await client.call("getSendersByIdPicture", { id: sender, input })) });
          } catch (thrown) {
            note(input, { fault: asFault(thrown).message });
          }
        }
        do await rest(pause); while (document.hidden && !isOver);
      }
    })();
    return () => { isOver = true; };
  }, [sender, inputs, isWanted]);
  return looks;
}

/** What one of them shows, or why not. */
export function InputPicture({ look, name }: { look: Look | undefined; name: string }) {
  const { t } = useWords();
  const canvas = useRef<HTMLCanvasElement>(null), picture = look?.picture;
  useEffect(() => {
    if (!canvas.current || !picture) return;
    [canvas.current.width, canvas.current.height] = [picture.width, picture.height];
    canvas.current.getContext("2d")?.drawImage(picture, 0, 0);
  }, [picture]);
  if (!look) return <span className="muted">{t("devices.looking")}</span>;
  if (!picture) return <span className="warn">{look.fault}</span>;
  return <figure className="thumbnail"><canvas ref={canvas} width={16} height={9} role="img" aria-label={t("devices.pictureOf", { name })} /></figure>;
}
