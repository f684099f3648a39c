import type { Fault } from "../api/Fault";
import type { Sender } from "../api/Schema";
import { SelectField, TextField } from "../design/Field";
import { Card } from "../design/Page";
import { useWords } from "../text/Text";
import { TOMLText, type Place } from "./TOMLText";

type Options = readonly (readonly [value: string, text: string])[];

type FormProps = {
  sender: Sender;
  /** What is edited: the same text as beside it. */
  toml: TOMLText;
  set: (text: string) => void;
  isReadOnly: boolean;
  fault: Fault | null;
};

const sizes = ["1920×1080", "1280×720", "960×540", "640×360"];
const video: Place = { table: "video" }, audio: Place = { table: "audio" }, transport: Place = { table: "transport" };

/** The choices that a sender has, as fields; what is left empty is its own default. */
export function ConfigurationForm({ sender, toml, set, isReadOnly, fault }: FormProps) {
  const { t } = useWords();
  const { inputs, encoders, links } = sender.inventory;
  const shared = { toml, set, isReadOnly, fault };
  const inputsOf = (unfit: "audio" | "video"): Options => inputs.filter(one => one.media !== unfit).map(one => [one.id, one.name]);
  const named = [...new Set([...links.map(link => link.name), ...toml.names("link")])];
  return (
    <>
      <Card title={t("start.picture")}>
        <div className="columns">
          <Choose {...shared} place={video} name="input" label={t("start.input")} options={inputsOf("audio")} absent={id => t("start.absent", { input: id })} />
          <Size {...shared} />
          <Count {...shared} place={video} name="frame_rate" label={t("form.frames")} hint={t("form.range", { from: 1, to: 60 })} />
          <Count {...shared} place={video} name="bitrate_kbit" label={t("form.rate")} hint={t("form.range", { from: 100, to: 50_000 })} />
          <Choose {...shared} place={video} name="codec" label={t("devices.codec")} options={[["h264", "H.264"], ["h265", "H.265"]]} />
          <Choose {...shared} place={video} name="encoder" label={t("form.encoder")} options={[["automatic", t("form.automatic")], ...[...new Set(encoders.map(one => one.id))].filter(id => id !== "automatic").map(id => [id, id] as const)]} />
          <Count {...shared} place={{ table: "limits" }} name="video_kbit" label={t("form.most")} hint={t("form.mostHint")} />
        </div>
      </Card>
      <Card title={t("devices.media.audio")}>
        <div className="columns">
          <Choose {...shared} place={audio} name="input" label={t("start.input")} options={inputsOf("video")} absent={id => t("start.absent", { input: id })} empty={t("form.ofPicture")} />
          <Count {...shared} place={audio} name="bitrate_kbit" label={t("form.rate")} hint={t("form.range", { from: 32, to: 320 })} />
        </div>
      </Card>
      <Card title={t("form.way")}>
        <div className="columns">
          <Count {...shared} place={transport} name="buffer_ms" label={t("form.buffer")} hint={t("form.bufferHint")} />
          <Choose {...shared} place={transport} name="protection" label={t("form.protection")} options={(["throughput", "balanced", "bulletproof"] as const).map(one => [one, t(`form.protection.${one}`)])} />
          <Words {...shared} place={{ table: "sender" }} name="location" label={t("sender.location")} hint={t("form.locationHint")} />
        </div>
      </Card>
      {named.map(name => (
        <Card key={name} title={t("form.link", { link: name })}>
          <div className="columns">
            <Choose {...shared} place={{ table: "link", name }} name="cost" label={t("form.cost")} options={(["free", "metered", "last_resort"] as const).map(one => [one, t(`form.cost.${one}`)])} empty={t("form.costByKind")} />
            <Count {...shared} place={{ table: "link", name }} name="ceiling_kbit" label={t("form.ceiling")} hint={t("form.noCeiling")} />
            <Count {...shared} place={{ table: "link", name }} name="data_cap_mib" label={t("form.cap")} hint={t("form.capHint")} />
            <Count {...shared} place={{ table: "link", name }} name="cycle_day" label={t("form.day")} hint={t("form.range", { from: 1, to: 31 })} />
          </div>
        </Card>
      ))}
    </>
  );
}

type Shared = Omit<FormProps, "sender">;
type One = Shared & { place: Place; name: string; label: string; hint?: string };

/** What the server says of this key. */
const said = ({ fault, place, name }: One) => place.name === undefined ? fault?.about(`toml.${place.table}.${name}`) : undefined;

/** As it stands in the text, whatever that is. */
const shown = ({ toml, place, name }: One): string => {
  const value = toml.value(place, name);
  return value === undefined || value === null ? "" : String(value);
};

function Words(props: One) {
  const { toml, set, place, name, label, hint, isReadOnly } = props;
  // What no line of TOML can hold is left out as it is typed.
  const put = (text: string) => set(toml.put(place, name, text.replace(/\p{Cc}/gu, "") || undefined));
  return <TextField label={label} hint={hint} value={shown(props)} set={put} readOnly={isReadOnly} maxLength={200} error={said(props)} />;
}

function Count(props: One) {
  const { toml, set, place, name, label, hint, isReadOnly } = props;
  const put = (text: string) => {
    const digits = text.replace(/\D/g, "").slice(0, 9);
    set(toml.put(place, name, digits === "" ? undefined : Number(digits)));
  };
  return <TextField label={label} hint={hint} inputMode="numeric" autoComplete="off" value={shown(props)} set={put} readOnly={isReadOnly} error={said(props)} />;
}

type ChooseProps = One & {
  options: Options;
  /** How one is called that stands there and is not among them. */
  absent?: (value: string) => string;
  /** What it is without the key. */
  empty?: string;
};

function Choose(props: ChooseProps) {
  const { t } = useWords();
  const { toml, set, place, name, label, hint, isReadOnly, options, absent, empty = t("form.standard") } = props;
  const value = shown(props);
  const others: Options = value === "" || options.some(([one]) => one === value) ? [] : [[value, absent?.(value) ?? value]];
  return <SelectField label={label} hint={hint} value={value} set={chosen => set(toml.put(place, name, chosen || undefined))} disabled={isReadOnly}
    options={[["", empty], ...others, ...options]} error={said(props)} />;
}

/** Width and height are one choice. */
function Size(props: Shared) {
  const { t } = useWords();
  const { toml, set, isReadOnly, fault } = props;
  const part = (name: string) => shown({ ...props, place: video, name, label: "" });
  const [width, height] = [part("width"), part("height")], value = width || height ? `${width || "–"}×${height || "–"}` : "";
  const choose = (size: string) => {
    const [w, h] = size === "" ? [] : size.split("×").map(Number);
    const text = toml.put(video, "width", w), next = TOMLText.of(text);
    if (next) set(next.put(video, "height", h));
  };
  return <SelectField label={t("form.size")} value={value} set={choose} disabled={isReadOnly} error={fault?.about("toml.video.width") ?? fault?.about("toml.video.height")}
    options={[["", t("form.standard")], ...(value === "" || sizes.includes(value) ? [] : [[value, value] as const]), ...sizes.map(size => [size, size] as const)]} />;
}
