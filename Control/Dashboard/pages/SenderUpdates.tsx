import { useState } from "react";
import type { ChangeRolloutRequest, Release, Rollout, RolloutBoard } from "../api/Schema";
import { client, useReading } from "../api/Server";
import { Badge } from "../design/Badge";
import { ActButton, Button } from "../design/Button";
import { FormDialog } from "../design/Dialog";
import { Choice, SelectField } from "../design/Field";
import { Card, Facts, Read } from "../design/Page";
import { Table } from "../design/Table";
import { tellFault } from "../design/Toast";
import { useAll } from "../live/Live";
import { useWords } from "../text/Text";
import { useEvery } from "./useEvery";

const tones = { offered: "none", switched: "warn", installed: "good", failed: "bad", returned: "none" } as const;
const states = { running: "live", paused: "warn", halted: "bad", done: "good", rolled_back: "none" } as const;

type Move = ChangeRolloutRequest["move"];

/** What can be done with a rollout that is in a state. */
const moves: Readonly<Record<Rollout["state"], readonly Move[]>> = {
  running: ["pause", "halt", "end", "rollBack"], paused: ["resume", "end", "rollBack"], halted: ["resume", "end", "rollBack"],
  done: ["rollBack"], rolled_back: [],
};

/** Which releases there are for senders, and how one gets to them: for the organisation's owner. */
export function SenderUpdates() {
  const { t } = useWords();
  const releases = useReading("getReleases", {}), rollouts = useReading("getRollouts", {});
  const [chosen, setChosen] = useState<Release | null>(null);
  const latest = rollouts.value?.items[0], isOpen = latest !== undefined && ["running", "paused", "halted"].includes(latest.state);
  useEvery(isOpen ? 3_000 : 30_000, rollouts.again);
  return (
    <Card title={t("rollouts.title")}>
      <Read of={releases}>{({ items }) => items.length === 0 ? <p className="muted">{t("rollouts.none")}</p> : (
        <Table label={t("rollouts.releases")} rows={items} id={one => one.version} columns={[
          { id: "version", title: t("updates.version"), heads: true, cell: one => one.version },
          { id: "channel", title: t("updates.channel"), cell: one => one.channel },
          { id: "notes", title: t("rollouts.notes"), cell: one => [...one.breaking, ...one.notes].join(" ") },
          { id: "act", title: t("actions"), cell: one => (
            <Button small disabled={isOpen} onClick={() => setChosen(one)}>{t("rollouts.bring", { version: one.version })}</Button>
          ) },
        ]} />
      )}</Read>
      {latest && <Latest of={latest} again={rollouts.again} />}
      {chosen && <BeginDialog release={chosen} close={() => setChosen(null)} done={rollouts.again} />}
    </Card>
  );
}

/** The newest one, and what became of it on each sender that it has reached. */
function Latest({ of, again }: { of: Rollout; again: () => void }) {
  const { t, number, time } = useWords();
  const senders = useAll("sender");
  const move = async (wish: Move) => {
    await client.call("patchRolloutsById", { id: of.id }, { move: wish });
    again();
  };
  const name = (board: RolloutBoard) => senders.get(board.sender)?.name ?? board.sender;
  return (
    <section>
      <h3>{t("rollouts.latest", { version: of.version })} <Badge tone={states[of.state]}>{t(`rollouts.${of.state}`)}</Badge></h3>
      <Facts facts={[[t("rollouts.step"), number(of.step)], [t("rollouts.began"), time(of.createdAt)], [t("rollouts.ended"), of.endedAt && time(of.endedAt)]]} />
      {of.reason && <p className="warn" role="status">{of.reason}</p>}
      {of.boards.length > 0 && (
        <Table label={t("rollouts.senders")} rows={of.boards} id={board => board.sender} columns={[
          { id: "name", title: t("name"), heads: true, cell: name },
          { id: "fate", title: t("state"), cell: board => <Badge tone={tones[board.fate]}>{t(`rollouts.fate.${board.fate}`)}</Badge> },
          { id: "reason", title: t("updates.reason"), cell: board => board.reason ?? "" },
        ]} />
      )}
      <div className="buttons">
        {moves[of.state].map(wish => <ActButton key={wish} small look={wish === "rollBack" ? "grave" : "plain"} act={() => move(wish)} failed={tellFault}>{t(`rollouts.move.${wish}`)}</ActButton>)}
      </div>
    </section>
  );
}

const hour = 3600;

/** Which senders get it first; the others follow by themselves while it goes well. */
function BeginDialog({ release, close, done }: { release: Release; close: () => void; done: () => void }) {
  const { t } = useWords();
  const senders = [...useAll("sender").values()];
  const [first, setFirst] = useState(""), [isForced, setForced] = useState(false);
  const act = async () => {
    await client.call("postRollouts", {}, {
      version: release.version, forced: isForced,
      // What `strata-provision rollout begin` takes where nothing is said.
      plan: { canaries: first ? [first] : [], percentages: first ? [10, 100] : [100], soakSeconds: hour, atOnce: 20, failureCount: 2, failurePercent: 5, silenceSeconds: 2 * hour },
    });
    done();
  };
  return (
    <FormDialog title={t("rollouts.bring", { version: release.version })} submit={t("rollouts.begin")} close={close} act={act}>
      {release.breaking.length > 0 && <ul>{release.breaking.map(line => <li key={line}>{line}</li>)}</ul>}
      <p>{t("rollouts.text")}</p>
      <SelectField label={t("rollouts.first")} hint={t("rollouts.firstHint")} value={first} set={setFirst}
        options={[["", t("rollouts.all")], ...senders.map(one => [one.id, one.name] as const)]} />
      <Choice label={t("rollouts.forced")} hint={t("rollouts.forcedHint")} checked={isForced} set={setForced} />
    </FormDialog>
  );
}
