import type { Fault } from "../api/Fault";
import { useWords } from "../text/Text";
import { Button } from "./Button";
import { Icon } from "./Icon";

/** What went wrong in plain words; what the server said of it can be opened. */
export function FaultNote({ fault, again }: { fault: Fault; again?: () => void }) {
  const { t } = useWords();
  return (
    <div className="fault" role="alert">
      <Icon name="warning" />
      <div>
        <p>{words(fault, t)}</p>
        {fault.fields.length > 0 && (
          <ul>{fault.fields.map(({ field, expected }) => <li key={field}><code>{field}</code>{" "}{t("fault.expected", { expected })}</li>)}</ul>
        )}
        <details>
          <summary>{t("fault.details")}</summary>
          <p><code>{[fault.status || null, fault.kind].filter(Boolean).join(" ")}</code>{" "}{fault.message}</p>
        </details>
        {again && <Button small onClick={again}>{t("again")}</Button>}
      </div>
    </div>
  );
}

export function words(fault: Fault, t: ReturnType<typeof useWords>["t"]): string {
  switch (fault.kind) {
    case "unreachable": return t("fault.unreachable");
    case "unreadable": case "internal": return t("fault.server");
    case "program": return t("fault.program");
    case "too-many-requests": return t("fault.tooMany", { seconds: fault.retryAfter || 1 });
    case "forbidden": return t("fault.forbidden");
    // The rest is said best by whoever refused it.
    default: return fault.message;
  }
}
