import type { Broadcast } from "../api/Schema";
import { Icon } from "../design/Icon";
import { Card } from "../design/Page";
import { useWords } from "../text/Text";

const order = ["lease", "sender", "media", "outputs"] as const;

/** The way from a wish to a picture: what is done, what goes on, what comes. */
export function Steps({ broadcast }: { broadcast: Broadcast }) {
  const { t } = useWords();
  const at = order.indexOf(broadcast.step ?? "lease");
  return (
    <Card title={t("steps.title")}>
      <ol className="steps">
        {order.map((step, index) => (
          <li key={step} className={index < at ? "done" : index === at ? "now" : ""} aria-current={index === at ? "step" : undefined}>
            {index < at ? <Icon name="check" /> : index === at ? <span className="spinner" /> : <span className="dot" aria-hidden="true" />}
            <span>{t(`steps.${step}`)}<span className="hidden">{t(index < at ? "steps.done" : index === at ? "steps.now" : "steps.later")}</span></span>
          </li>
        ))}
      </ol>
    </Card>
  );
}
