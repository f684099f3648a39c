import { useState } from "react";
import type { Answer } from "../api/Client";
import { client, useReading } from "../api/Server";
import { ActButton, Button } from "../design/Button";
import { Copy } from "../design/Copy";
import { Dialog } from "../design/Dialog";
import { Read } from "../design/Page";
import { Table } from "../design/Table";
import { tellFault } from "../design/Toast";
import { useWords } from "../text/Text";

type PlayerLink = Answer<"getBroadcastsByIdPlayers">["items"][number];

/** Links by which players outside play a running broadcast: each is shown to whoever makes it, once. */
export function PlayerLinks({ broadcast }: { broadcast: string }) {
  const { t } = useWords();
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button onClick={() => setOpen(true)}>{t("players.open")}</Button>
      {isOpen && <LinksDialog broadcast={broadcast} close={() => setOpen(false)} />}
    </>
  );
}

function LinksDialog({ broadcast, close }: { broadcast: string; close: () => void }) {
  const { t, number, time } = useWords();
  const links = useReading("getBroadcastsByIdPlayers", { id: broadcast });
  const [made, setMade] = useState<PlayerLink | null>(null);
  const make = async () => {
    setMade(await client.call("postBroadcastsByIdPlayers", { id: broadcast }, {}));
    links.again();
  };
  const revoke = async (one: PlayerLink) => {
    await client.call("deleteBroadcastsByIdPlayersByPlayer", { id: broadcast, player: one.id });
    if (made?.id === one.id) setMade(null);
    links.again();
  };
  return (
    <Dialog title={t("players.title")} close={close} wide>
      <p>{t("players.text")}</p>
      {made && <><p>{t("players.once")}</p><Copy text={made.url ?? ""} label={t("players.link")} /></>}
      <Read of={links}>{({ items }) => items.length > 0 && (
        <Table label={t("players.title")} rows={items} id={one => one.id} columns={[
          { id: "made", title: t("players.made"), heads: true, cell: one => time(one.createdAt) },
          { id: "expires", title: t("enrollment.expires"), short: true, cell: one => time(one.expiresAt) },
          { id: "players", title: t("players.count"), number: true, cell: one => number(one.players) },
          { id: "act", title: t("actions"), cell: one => <ActButton small look="quiet" act={() => revoke(one)} failed={tellFault} aria-label={t("players.revokeOf", { time: time(one.createdAt) })}>{t("players.revoke")}</ActButton> },
        ]} />
      )}</Read>
      <div className="buttons">
        <Button onClick={close}>{t("close")}</Button>
        <ActButton look="primary" act={make} failed={tellFault}>{t("players.make")}</ActButton>
      </div>
    </Dialog>
  );
}
