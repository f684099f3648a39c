import { Dialog } from "../design/Dialog";
import { Button } from "../design/Button";
import { useWords } from "../text/Text";
import { lineDifferences, type Line } from "./lineDifferences";

/** Lines that are shown around one that changed. */
const around = 2;

/** What differs between two texts, line for line. */
export function Differences({ title, before, after, close }: { title: string; before: string; after: string; close: () => void }) {
  const { t } = useWords();
  const lines = lineDifferences(before, after);
  const isNear = (at: number) => lines.slice(Math.max(0, at - around), at + around + 1).some(line => line.kind !== "same");
  const near = lines.map((line, at) => ({ line, at })).filter(({ at }) => isNear(at));
  return (
    <Dialog title={title} close={close} wide>
      {near.length === 0 ? <p>{t("differences.none")}</p> : (
        <ol className="differences" tabIndex={0} aria-label={title}>
          {near.map(({ line, at }, index) => <li key={at} className={`${line.kind}${index > 0 && near[index - 1]!.at < at - 1 ? " apart" : ""}`}><Marked line={line} /></li>)}
        </ol>
      )}
      <div className="buttons"><Button onClick={close}>{t("close")}</Button></div>
    </Dialog>
  );
}

/** Said too, not only coloured. */
function Marked({ line }: { line: Line }) {
  const { t } = useWords();
  const text = line.text || "\u00a0";
  switch (line.kind) {
    case "same": return <code>{text}</code>;
    case "gone": return <del><span className="hidden">{t("differences.gone")}</span><code>{text}</code></del>;
    case "new": return <ins><span className="hidden">{t("differences.new")}</span><code>{text}</code></ins>;
  }
}
