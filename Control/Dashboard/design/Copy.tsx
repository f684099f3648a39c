import { useRef, useState } from "react";
import { useWords } from "../text/Text";
import { Icon } from "./Icon";

/** A text that is taken elsewhere as it stands. */
export function Copy({ text, label }: { text: string; label: string }) {
  const { t } = useWords();
  const [isCopied, setCopied] = useState(false), code = useRef<HTMLElement>(null);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
      setTimeout(() => setCopied(false), 2000);
    } catch {
      // The browser does not let us: it is selected, to be copied by hand.
      if (code.current) getSelection()?.selectAllChildren(code.current);
    }
  };
  return (
    <div className="copy">
      <code ref={code} tabIndex={0} aria-label={label}>{text}</code>
      <button type="button" className="button plain small" onClick={copy}>
        <Icon name={isCopied ? "check" : "copy"} /><span aria-live="polite">{isCopied ? t("copied") : t("copy")}</span>
      </button>
    </div>
  );
}
