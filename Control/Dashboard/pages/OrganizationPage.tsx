import { useCallback, useEffect, useRef, useState } from "react";
import type { Fault } from "../api/Fault";
import { asFault, client, useMay, useReading } from "../api/Server";
import type { Settings, Slate } from "../api/Schema";
import { rename } from "../app/Router";
import { ActButton } from "../design/Button";
import { FaultNote } from "../design/Fault";
import { Card, Page, Read } from "../design/Page";
import { Tabs } from "../design/Tabs";
import { useWords } from "../text/Text";
import { BrandingTab } from "./BrandingTab";
import { ErrorTrackingTab } from "./ErrorTracking";
import { MeetingsTab } from "./MeetingsTab";
import { RecordingsTab } from "./RecordingsTab";
import { UsageTab } from "./UsageTab";
import { GeneralTab, LanguageTab, RegistrationTab } from "./OrganizationSettings";

/** What the organisation decides for itself, and the picture that its viewers see while a sender is silent. */
export function OrganizationPage({ tab }: { tab: string }) {
  const { t } = useWords();
  const may = useMay();
  const organization = useReading("getOrganization", {}), settings = useReading("getOrganizationSettings", {});
  // What an answer to a change said is newer than what was read.
  const [changed, setChanged] = useState<Settings | null>(null);
  return (
    <Page title={t("nav.organization")}>
      <Read of={organization}>{one => (
        <Read of={settings}>{read => (
          <Tabs label={t("nav.organization")} chosen={tab} choose={tab => rename(`/admin/organization/${tab}`)} tabs={[
            { id: "general", title: t("settings.general"), body: () => <GeneralTab key="general" settings={changed ?? read} changed={setChanged} slug={one.slug} /> },
            { id: "branding", title: t("settings.branding"), body: () => <BrandingTab key="branding" /> },
            { id: "language", title: t("settings.language"), body: () => <LanguageTab key="language" settings={changed ?? read} changed={setChanged} /> },
            { id: "registration", title: t("settings.registrations"), body: () => <RegistrationTab key="registration" settings={changed ?? read} changed={setChanged} /> },
            { id: "meetings", title: t("meetings.tab"), body: () => <MeetingsTab key="meetings" /> },
            { id: "recordings", title: t("nav.recordings"), body: () => <RecordingsTab key="recordings" /> },
            { id: "slate", title: t("slate.title"), body: () => <SlateCard key="slate" slate={one.slate ?? null} changed={organization.again} /> },
            { id: "usage", title: t("usage.title"), body: () => <UsageTab key="usage" /> },
            ...(may("reports.manage") ? [{ id: "errors", title: t("errors.title"), body: () => <ErrorTrackingTab key="errors" /> }] : []),
          ]} />
        )}</Read>
      )}</Read>
    </Page>
  );
}

function SlateCard({ slate, changed }: { slate: Slate | null; changed: () => void }) {
  const { t, bytes } = useWords();
  const [fault, setFault] = useState<Fault | null>(null), [file, setFile] = useState<File | null>(null);
  const input = useRef<HTMLInputElement>(null);
  const clear = () => {
    setFile(null);
    if (input.current) input.current.value = "";
    changed();
  };
  const put = async () => { setFault(null); if (file) await client.call("putOrganizationSlate", {}, file); clear(); };
  const remove = async () => { setFault(null); await client.call("deleteOrganizationSlate", {}); clear(); };
  return (
    <Card title={t("slate.title")}>
      <p className="muted">{t("slate.text")}</p>
      {slate ? <><SlatePicture slate={slate} /><p className="muted">{`${slate.width}×${slate.height}, ${slate.kind}, ${bytes(slate.bytes)}`}</p></> : <p>{t("slate.own")}</p>}
      <div className="field">
        <label htmlFor="slate-file">{t("slate.file")}</label>
        <input id="slate-file" ref={input} type="file" accept="image/png,image/jpeg" onChange={event => setFile(event.target.files?.[0] ?? null)} />
      </div>
      {fault && <FaultNote fault={fault} />}
      <div className="buttons">
        {slate && <ActButton act={remove} failed={setFault}>{t("slate.remove")}</ActButton>}
        <ActButton look="primary" disabled={!file} act={put} failed={setFault} done={t("saved")}>{t("slate.put")}</ActButton>
      </div>
    </Card>
  );
}

/** Drawn and not linked: it is read with the access token. */
function SlatePicture({ slate }: { slate: Slate }) {
  const { t } = useWords();
  const canvas = useRef<HTMLCanvasElement>(null), [fault, setFault] = useState<Fault | null>(null);
  const draw = useCallback(async () => {
    const picture = await createImageBitmap(await client.call("getOrganizationSlate", {}));
    const element = canvas.current;
    if (!element) return;
    [element.width, element.height] = [480, Math.max(1, Math.round(480 * picture.height / picture.width))];
    element.getContext("2d")?.drawImage(picture, 0, 0, element.width, element.height);
  }, []);
  useEffect(() => { draw().catch((thrown: unknown) => setFault(asFault(thrown))); }, [draw, slate]);
  return fault ? <FaultNote fault={fault} /> : <canvas className="slate" ref={canvas} role="img" aria-label={t("slate.title")} />;
}
