import { useReading } from "../api/Server";
import type { Share } from "../api/Schema";
import { Bar } from "../design/Bar";
import { Card, Read } from "../design/Page";
import { useWords } from "../text/Text";

/** How much of what it may have the organisation has: what is refused beyond it says the same names. */
export function UsageTab() {
  const { t, bytes, number } = useWords();
  const usage = useReading("getOrganizationUsage", {});
  const words = ({ name, used, limit }: Share) => t("home.of", name === "storage" ? { some: bytes(used), all: bytes(limit) } : { some: number(used), all: number(limit) });
  return (
    <Read of={usage}>{({ items }) => (
      <Card title={t("usage.title")}>
        <p className="muted">{t("usage.text")}</p>
        <ul className="stack">{items.map(one => <li key={one.name}><Bar label={t(`usage.${one.name}`)} value={one.used} most={one.limit} words={words(one)} /></li>)}</ul>
      </Card>
    )}</Read>
  );
}
