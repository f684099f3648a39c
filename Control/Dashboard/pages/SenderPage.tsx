import { useState } from "react";
import { client, useMay } from "../api/Server";
import type { Sender, Token } from "../api/Schema";
import { go, Link } from "../app/Router";
import { Badge } from "../design/Badge";
import { Button } from "../design/Button";
import { ConfirmDialog, FormDialog } from "../design/Dialog";
import { TextField } from "../design/Field";
import { Card, Facts, Page, Skeleton } from "../design/Page";
import { broadcastTone } from "../design/states";
import { Tabs } from "../design/Tabs";
import { useCurrent, useIsWhole, useOne, useTelemetry } from "../live/Live";
import { useWords } from "../text/Text";
import { Nowhere } from "../app/Pages";
import { EnrollmentCommand } from "./EnrollmentCommand";
import { LinkCharts } from "./LinkCharts";
import { SenderConfiguration } from "./SenderConfiguration";
import { SenderDevices } from "./SenderDevices";
import { SenderModems } from "./SenderModems";
import { useRehearsal } from "./Rehearsal";
import { SpeedTests } from "./SpeedTests";
import { Presence } from "./SenderCard";

/** One sender: how its links are, what is plugged into it, how it is set up. */
export function SenderPage({ id }: { id: string }) {
  const { t } = useWords();
  const sender = useOne("sender", id), isWhole = useIsWhole(), may = useMay();
  const broadcast = useCurrent(id), rehearsal = useRehearsal(id), isRehearsing = rehearsal !== undefined && rehearsal.state !== "ended";
  const [tab, setTab] = useState("links"), [asked, setAsked] = useState<"rename" | "revoke" | null>(null);
  if (!sender) return isWhole ? <Nowhere /> : <Skeleton />;
  const close = () => setAsked(null);
  return (
    <Page title={sender.name} back={{ to: "/senders", text: t("nav.senders") }} badge={<Presence sender={sender} />} actions={<>
      {may("senders.manage") && <Button look="quiet" onClick={() => setAsked("rename")}>{t("rename")}</Button>}
      {may("senders.manage") && <Button look="quiet" onClick={() => setAsked("revoke")}>{t("sender.revoke")}</Button>}
      {broadcast ? <Link className="button primary" to={`/broadcasts/${broadcast.id}`}>{t("sender.toBroadcast")}</Link>
        : may("broadcasts.run") && <Link className="button primary" to={`/senders/${id}/start`}>{t("sender.start")}</Link>}
    </>}>
      <Summary sender={sender} />
      {sender.flaggedAt && <Flagged sender={sender} at={sender.flaggedAt} />}
      <Tabs label={sender.name} chosen={tab} choose={setTab} tabs={[
        { id: "links", title: t("sender.links"), body: () => <><LinkCharts sender={sender} /><SpeedTests sender={sender} isBusy={broadcast !== undefined || isRehearsing} /></> },
        { id: "modems", title: t("sender.modems"), body: () => <SenderModems sender={sender} isLive={broadcast !== undefined} /> },
        { id: "devices", title: t("sender.devices"), body: () => <SenderDevices sender={sender} /> },
        { id: "configuration", title: t("sender.configuration"), body: () => <SenderConfiguration sender={sender} /> },
      ]} />
      {asked === "rename" && <RenameDialog sender={sender} close={close} />}
      {asked === "revoke" && (
        <ConfirmDialog title={t("sender.revokeTitle", { name: sender.name })} submit={t("sender.revoke")} typed={sender.name} close={close}
          act={async () => { await client.call("deleteSendersById", { id }); go("/senders"); }}><p>{t("sender.revokeText")}</p></ConfirmDialog>
      )}
    </Page>
  );
}

function Summary({ sender }: { sender: Sender }) {
  const { t, time, ago, bytes } = useWords();
  const sample = useTelemetry(sender.id), broadcast = useCurrent(sender.id), rehearsal = useRehearsal(sender.id);
  const position = (sample?.modems ?? []).find(modem => modem.position)?.position ?? sender.location?.position;
  const plans = (sample?.usage ?? []).filter(usage => usage.capBytes != null);
  return (
    <Card>
      <Facts facts={[
        [t("sender.broadcast"), broadcast && <Badge tone={broadcastTone[broadcast.state]}>{t(`state.${broadcast.state}`)}</Badge>],
        [t("rehearsal.title"), rehearsal && rehearsal.state !== "ended" && <Link to={`/senders/${sender.id}/start`}>{t(`rehearsal.state.${rehearsal.state}`)}</Link>],
        [t("sender.lastSeen"), !sender.online && (sender.lastSeenAt ? `${ago(sender.lastSeenAt)}, ${time(sender.lastSeenAt)}` : t("senders.never"))],
        [t("sender.version"), sender.agentVersion],
        [t("sender.configuration"), sender.configuration.wanted === 0 ? t("sender.standard") : t("sender.configured", { version: sender.configuration.applied })],
        [t("sender.location"), [sender.location?.text, position && `${position.latitude.toFixed(5)}, ${position.longitude.toFixed(5)}`].filter(Boolean).join(", ")],
        ...plans.map(usage => [t("sender.plan", { link: usage.link }),
          <span className={usage.state === "within" ? "" : "warn"}>{t("sender.planUsed", { used: bytes(usage.sentBytes + usage.receivedBytes), cap: bytes(usage.capBytes ?? 0) })}</span>] as const),
      ]} />
      {sender.configuration.reason && <p className="warn">{t("sender.refused", { version: sender.configuration.wanted })}: {sender.configuration.reason}</p>}
    </Card>
  );
}

/** Two boards have one key: which is the right one only a person knows, and gives it another. */
function Flagged({ sender, at }: { sender: Sender; at: string }) {
  const { t, time } = useWords(), may = useMay();
  const [isAsked, setAsked] = useState(false), [made, setMade] = useState<Token | null>(null);
  return (
    <>
      <Card>
        <p className="warn">{t("sender.flagged", { at: time(at) })}</p>
        {may("senders.manage") && !made && <Button onClick={() => setAsked(true)}>{t("sender.renew")}</Button>}
      </Card>
      {made && <EnrollmentCommand token={made} />}
      {isAsked && (
        <ConfirmDialog title={t("sender.renewTitle", { name: sender.name })} submit={t("sender.renew")} close={() => setAsked(false)}
          act={async () => setMade(await client.call("postEnrollmentTokens", {}, { kind: "sender", sender: sender.id }))}><p>{t("sender.renewText")}</p></ConfirmDialog>
      )}
    </>
  );
}

function RenameDialog({ sender, close }: { sender: Sender; close: () => void }) {
  const { t } = useWords();
  const [name, setName] = useState(sender.name);
  return (
    <FormDialog title={t("rename")} submit={t("save")} close={close} act={() => client.call("patchSendersById", { id: sender.id }, { name })}>
      <TextField label={t("name")} value={name} set={setName} required maxLength={100} />
    </FormDialog>
  );
}
