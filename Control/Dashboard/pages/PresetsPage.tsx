import type { Answer } from "../api/Client";
import { useReading } from "../api/Server";
import { Card, Page, Read } from "../design/Page";
import { Table } from "../design/Table";
import { useWords } from "../text/Text";

type Preset = Answer<"getMeetingPresets">["items"][number];
type Permissions = Preset["permissions"];
type Flag = Permissions["allowed"][number];

const types = ["video", "audio", "webinar", "livestream"] as const;
/** From the one who may most. */
const roles: readonly Preset["role"][] = ["host", "co_host", "participant", "guest", "viewer"];
const ways = ["audio", "video", "screenShare"] as const;
const flags: readonly Flag[] = [
  "admit", "kick", "disable_audio", "disable_video", "disable_screen_share", "change_permissions", "accept_production", "spotlight", "pin", "record", "livestream", "rename",
  "see_participants", "chat_public_text", "chat_public_files", "chat_public_receive", "chat_private_text", "chat_private_files", "chat_private_receive",
  "poll_create", "poll_vote", "poll_view", "hidden",
];

/** What somebody may do in a meeting, by its kind and their role. */
export function PresetsPage() {
  const { t } = useWords();
  const presets = useReading("getMeetingPresets", {});
  return (
    <Page title={t("nav.presets")}>
      <p className="muted">{t("presets.text")}</p>
      <Read of={presets}>{({ items }) => <>{types.map(type => <OfType key={type} type={type} presets={items.filter(one => one.type === type)} />)}</>}</Read>
    </Page>
  );
}

type Row = { id: string; title: string; of: (permissions: Permissions) => string };

function OfType({ type, presets }: { type: Preset["type"]; presets: readonly Preset[] }) {
  const { t } = useWords();
  const all: readonly Row[] = [
    ...ways.map(way => ({ id: way, title: t(`presets.way.${way}`), of: (one: Permissions) => t(`presets.media.${one[way]}`) })),
    { id: "waiting", title: t("presets.waiting"), of: one => t(`presets.waits.${one.waiting}`) },
    ...flags.map(flag => ({ id: flag, title: t(`presets.may.${flag}`), of: (one: Permissions) => one.allowed.includes(flag) ? t("yes") : "" })),
  ];
  // What nobody may in a meeting of this kind is left out.
  const rows = all.filter(row => presets.some(one => row.of(one.permissions) !== ""));
  const shown = [...presets].sort((a, b) => roles.indexOf(a.role) - roles.indexOf(b.role));
  return (
    <Card title={t(`meetings.type.${type}`)}>
      <Table label={t(`meetings.type.${type}`)} rows={rows} id={row => row.id} columns={[
        { id: "what", title: t("presets.what"), heads: true, cell: row => row.title },
        ...shown.map(one => ({ id: one.name, title: t(`presets.role.${one.role}`), cell: (row: Row) => row.of(one.permissions) })),
      ]} />
    </Card>
  );
}
