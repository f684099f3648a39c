import { useLayoutEffect, useRef, useState } from "react";
import type { Branding, ChangeBrandingRequest } from "../api/Schema";
import { client, useReading, useSession } from "../api/Server";
import { dwell, wear } from "../app/Appearance";
import { SelectField, TextField } from "../design/Field";
import { Read } from "../design/Page";
import { PictureField, Shown, type Picture } from "../design/PictureField";
import { isDarkByItself, properties } from "../design/Theme";
import { useWords } from "../text/Text";
import { Changes } from "./Changes";
import { upload } from "./upload";

/** As the form has it: texts, and pictures that may not have been sent yet. */
type Look = {
  mode: Branding["mode"]; brand: string; background: string; text: string; textOnPrimary: string; videoBackground: string; spacing: string;
  border: Branding["border"]; corners: Branding["corners"]; logoHeight: string; logo: Picture; icon: Picture;
};

const look = (of: Branding): Look => ({
  mode: of.mode, brand: of.brand, background: of.background ?? "", text: of.text ?? "", textOnPrimary: of.textOnPrimary ?? "", videoBackground: of.videoBackground,
  spacing: String(of.spacing), border: of.border, corners: of.corners, logoHeight: String(of.logoHeight), logo: of.logo ?? "", icon: of.icon ?? "",
});

const isColour = (text: string) => /^#[0-9a-f]{6}$/i.test(text);

/** What the pages would look like; what is half typed is left out. */
const branding = ({ logo, icon, spacing, logoHeight, ...of }: Look): Branding => ({
  ...of, brand: isColour(of.brand) ? of.brand : "#2563EB", background: isColour(of.background) ? of.background : null, text: isColour(of.text) ? of.text : null,
  textOnPrimary: isColour(of.textOnPrimary) ? of.textOnPrimary : null, spacing: Number(spacing), logoHeight: Number(logoHeight),
  logo: typeof logo === "string" && logo ? logo : null, icon: typeof icon === "string" && icon ? icon : null,
});

/** What the organisation's pages look like, with how they would beside it. */
export function BrandingTab() {
  const { user } = useSession(), read = useReading("getOrganizationBranding", {});
  const [changed, setChanged] = useState<Branding | null>(null);
  const send = async ({ spacing, logoHeight, logo, icon, ...rest }: Partial<Look>) => {
    const sent = async (picture: Picture) => (typeof picture === "string" ? "" : upload(picture, "branding"));
    const change: ChangeBrandingRequest = {
      ...rest, ...(spacing !== undefined && { spacing: Number(spacing) }), ...(logoHeight !== undefined && { logoHeight: Number(logoHeight) }),
      ...(logo !== undefined && { logo: await sent(logo) }), ...(icon !== undefined && { icon: await sent(icon) }),
    };
    const next = await client.call("patchOrganizationBranding", {}, change);
    setChanged(next);
    dwell({ name: user.organization.name, branding: next });
  };
  return <Read of={read}>{value => <Form of={changed ?? value} send={send} />}</Read>;
}

function Form({ of, send }: { of: Branding; send: (difference: Partial<Look>) => Promise<void> }) {
  const { t } = useWords();
  return (
    <Changes of={look(of)} send={send} beside={values => <Preview of={values} />}>{(values, put, fault) => <>
      <SelectField label={t("branding.mode")} hint={t("branding.modeHint")} value={values.mode} set={mode => put({ mode: mode as Branding["mode"] })}
        options={[["light", t("branding.mode.light")], ["dark", t("branding.mode.dark")], ["darkest", t("branding.mode.darkest")]]} />
      <TextField label={t("branding.brand")} hint={t("branding.brandHint")} type="color" value={values.brand.toLowerCase()} set={brand => put({ brand })} error={fault?.about("brand")} />
      <TextField label={t("branding.textOnPrimary")} hint={t("branding.colourHint")} maxLength={7} value={values.textOnPrimary} set={textOnPrimary => put({ textOnPrimary })} error={fault?.about("textOnPrimary")} />
      <TextField label={t("branding.background")} hint={t("branding.colourHint")} maxLength={7} value={values.background} set={background => put({ background })} error={fault?.about("background")} />
      <TextField label={t("branding.text")} hint={t("branding.colourHint")} maxLength={7} value={values.text} set={text => put({ text })} error={fault?.about("text")} />
      <TextField label={t("branding.video")} type="color" value={values.videoBackground.toLowerCase()} set={videoBackground => put({ videoBackground })} error={fault?.about("videoBackground")} />
      <SelectField label={t("branding.corners")} value={values.corners} set={corners => put({ corners: corners as Branding["corners"] })}
        options={[["sharp", t("branding.corners.sharp")], ["rounded", t("branding.corners.rounded")], ["extra-rounded", t("branding.corners.extra-rounded")], ["circular", t("branding.corners.circular")]]} />
      <SelectField label={t("branding.border")} value={values.border} set={border => put({ border: border as Branding["border"] })}
        options={[["none", t("branding.border.none")], ["thin", t("branding.border.thin")], ["fat", t("branding.border.fat")]]} />
      <SelectField label={t("branding.spacing")} value={values.spacing} set={spacing => put({ spacing })}
        options={[["3", t("branding.spacing.3")], ["4", t("branding.spacing.4")], ["5", t("branding.spacing.5")], ["6", t("branding.spacing.6")]]} />
      <PictureField label={t("branding.logo")} hint={t("branding.logoHint")} remove={t("branding.noLogo")} value={values.logo} set={logo => put({ logo })}
        frame={{ width: 640, height: 128, bytes: 96 << 10 }} error={fault?.about("logo")} />
      <TextField label={t("branding.logoHeight")} type="number" min={16} max={48} required value={values.logoHeight} set={logoHeight => put({ logoHeight })} error={fault?.about("logoHeight")} />
      <PictureField label={t("branding.icon")} hint={t("branding.iconHint")} remove={t("branding.noIcon")} value={values.icon} set={icon => put({ icon })}
        frame={{ width: 128, height: 128, bytes: 96 << 10, isSquare: true }} error={fault?.about("icon")} />
    </>}</Changes>
  );
}

/** A piece of a page as it would be; nothing in it can be pressed. */
function Preview({ of }: { of: Look }) {
  const { t } = useWords();
  const { user } = useSession(), element = useRef<HTMLDivElement>(null), shown = branding(of), isDark = isDarkByItself(shown);
  useLayoutEffect(() => { if (element.current) wear(element.current, properties(shown, isDark)); });
  return (
    <section className="preview" ref={element} data-theme={isDark ? "dark" : "light"} aria-label={t("branding.preview")}>
      <p className="brand">{of.logo ? <Shown picture={of.logo} label={user.organization.name} className="logo" /> : <><span className="mark" aria-hidden="true" />Strata</>}</p>
      <div className="card">
        <h2>{t("branding.preview")}</h2>
        <p>{user.organization.name}</p>
        <p className="muted">{t("branding.sample")}</p>
        <p><span className="badge good">{t("branding.sampleGood")}</span> <span className="badge warn">{t("branding.sampleWarn")}</span></p>
        <div className="film" />
        <div className="buttons"><span className="button plain">{t("cancel")}</span><span className="button primary">{t("save")}</span></div>
      </div>
    </section>
  );
}
