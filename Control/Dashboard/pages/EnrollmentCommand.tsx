import type { Token } from "../api/Schema";
import { Button } from "../design/Button";
import { Copy } from "../design/Copy";
import { Card, Facts } from "../design/Page";
import { QRPicture } from "../design/QRPicture";
import { useWords } from "../text/Text";

/** What is typed on the board: the token goes into a file, so that no list of processes shows it. */
export function EnrollmentCommand({ token, enrolled }: { token: Token; enrolled?: string | null }) {
  const { t, time } = useWords();
  const secret = token.token ?? "";
  const first = `(umask 077 && echo '${secret}' > token) && strata-agent enroll --server ${location.origin} --token-file token --config /etc/strata/strata-agent.conf && rm token && systemctl enable --now strata-agent`;
  // Its folder is the agent's user's already: what root wrote there nobody else could read.
  const again = `echo '${secret}' | install -o strata-agent -m 600 /dev/stdin /run/strata-token && runuser -u strata-agent -- strata-agent enroll --server ${location.origin} --token-file /run/strata-token --config /etc/strata/strata-agent.conf && rm /run/strata-token && systemctl restart strata-agent`;
  const text = token.sender ? again : first, title = t(token.sender ? "sender.renewOn" : "enrollment.command");
  if (enrolled) return <Card title={title}><p>{t("enrollment.done")}</p></Card>;
  return (
    <div className="sheet">
      <Card title={title} actions={<Button small onClick={() => print()}>{t("enrollment.print")}</Button>}>
        <p>{t(token.sender ? "sender.renewPaste" : "enrollment.commandText")}</p>
        <Copy text={text} label={title} />
        <QRPicture text={text} label={t("enrollment.code")} />
        <Facts facts={[[t("name"), token.name], [t("enrollment.expires"), time(token.expiresAt)], [t("enrollment.server"), location.origin]]} />
        <p className="muted">{t("enrollment.once")}</p>
      </Card>
    </div>
  );
}
