import { Copy } from "../design/Copy";
import { inApp } from "../live/InApp";
import { useWords } from "../text/Text";

/** Tells whoever came by a link in another app how it is opened in a browser, where camera and microphone can be used. @param address that leads here. */
export function InAppNote({ address }: { address: string }) {
  const { t } = useWords();
  const found = inApp(navigator.userAgent);
  if (!found) return null;
  return (
    <div className="room-obstacle" role="alert">
      <p><strong>{found.app ? t("inapp.title", { app: found.app }) : t("inapp.unnamed")}</strong></p>
      <p>{t("inapp.why")}</p>
      <p>{t(`inapp.${found.system}`)}</p>
      <Copy text={address} label={t("inapp.address")} />
    </div>
  );
}
