import { access, useSession } from "../api/Server";
import { Button } from "../design/Button";
import { Dialog } from "../design/Dialog";
import { useWords } from "../text/Text";
import { LoginForm } from "./EntryPage";

/** The session is over while a page is open: whoever it was signs in again, and goes on where they were. */
export function ReentryDialog() {
  const { t } = useWords();
  const { user } = useSession();
  return (
    <Dialog title={t("expired.title")} close={() => undefined}>
      <p>{t("expired.text")}</p>
      <LoginForm again={{ email: user.email, organization: user.organization.slug }} />
      <Button look="quiet" onClick={() => access.leave()}>{t("expired.other")}</Button>
    </Dialog>
  );
}
