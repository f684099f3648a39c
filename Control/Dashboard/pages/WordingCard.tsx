import { useState } from "react";
import type { Fault } from "../api/Fault";
import { client, useReading } from "../api/Server";
import type { WordingItem } from "../api/Schema";
import { ActButton, Button, useAct } from "../design/Button";
import { FaultNote } from "../design/Fault";
import { SelectField, TextField } from "../design/Field";
import { Card, Read } from "../design/Page";
import { Table } from "../design/Table";
import { tell, tellFault } from "../design/Toast";
import { en, type Key } from "../text/en";
import { languages, original, useWords, type Language } from "../text/Text";
import { speak } from "../text/Spoken";
import { holes } from "../text/Wording";

const locales: Record<Language, WordingItem["locale"]> = { en: "en-US", de: "de-DE" };
/** Texts that are offered at a time: who looks for one types more of it. */
const most = 30;

/** Texts of the pages in the organisation's own words. */
export function WordingCard() {
  const { t } = useWords();
  const read = useReading("getOrganizationWording", {}), [changed, setChanged] = useState<readonly WordingItem[] | null>(null);
  const change = async (item: WordingItem) => {
    const { items } = await client.call("patchOrganizationWording", {}, { items: [item] });
    setChanged(items);
    speak(items);
  };
  return (
    <Card title={t("wording.title")}>
      <p className="muted">{t("wording.text")}</p>
      <WordingForm change={change} />
      <Read of={read}>{value => {
        const items = changed ?? value.items;
        return items.length === 0 ? <p>{t("wording.none")}</p> : (
          <Table label={t("wording.title")} rows={items} id={one => `${one.locale} ${one.key}`} columns={[
            { id: "own", title: t("wording.own"), heads: true, cell: one => one.text },
            { id: "original", title: t("wording.original"), cell: one => Object.hasOwn(en, one.key) ? original(one.locale.slice(0, 2) as Language, one.key as Key) : one.key },
            { id: "locale", title: t("settings.locale"), short: true, cell: one => languages[one.locale.slice(0, 2) as Language] },
            { id: "act", title: t("actions"), cell: one => <ActButton small look="quiet" act={() => change({ ...one, text: "" })} failed={tellFault} aria-label={t("removeOf", { name: one.text })}>{t("remove")}</ActButton> },
          ]} />
        );
      }}</Read>
    </Card>
  );
}

function WordingForm({ change }: { change: (item: WordingItem) => Promise<void> }) {
  const { t, language } = useWords();
  const [spoken, setSpoken] = useState<Language>(language), [sought, setSought] = useState(""), [chosen, setChosen] = useState<Key | "">(""), [text, setText] = useState("");
  const [fault, setFault] = useState<Fault | null>(null);
  const found = (Object.keys(en) as Key[]).filter(key => original(spoken, key).toLowerCase().includes(sought.trim().toLowerCase())).slice(0, most);
  const key = chosen !== "" && found.includes(chosen) ? chosen : found[0];
  const needed = key === undefined ? [] : holes(original(spoken, key));
  // A name that is left out would be a figure that nobody reads; one that there is not would be a gap.
  const isWhole = holes(text).join() === needed.join();
  const { state, run } = useAct(async () => {
    if (key === undefined) return;
    await change({ locale: locales[spoken], key, text });
    setText("");
    tell(t("saved"));
  }, setFault);
  return (
    <form className="stack narrow" onSubmit={event => { event.preventDefault(); setFault(null); if (isWhole) void run(); }}>
      <SelectField label={t("settings.locale")} value={spoken} set={value => setSpoken(value as Language)} options={Object.entries(languages)} />
      <TextField label={t("wording.find")} type="search" autoComplete="off" value={sought} set={setSought} />
      <SelectField label={t("wording.which")} value={key ?? ""} set={value => setChosen(value as Key)} options={found.map(one => [one, original(spoken, one)] as const)} />
      <TextField label={t("wording.own")} required maxLength={500} autoComplete="off" value={text} set={setText} hint={needed.length > 0 ? t("wording.holes", { names: needed.map(name => `{${name}}`).join(" ") }) : undefined}
        error={fault?.about("items") ?? (text !== "" && !isWhole ? t("wording.otherHoles") : undefined)} />
      {fault && <FaultNote fault={fault} />}
      <div className="buttons"><Button type="submit" look="primary" disabled={key === undefined || text === "" || !isWhole || state === "busy"} aria-busy={state === "busy"}>{t("wording.use")}</Button></div>
    </form>
  );
}
