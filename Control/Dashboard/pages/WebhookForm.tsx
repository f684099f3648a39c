import { useState } from "react";
import type { Fault } from "../api/Fault";
import { client, useReading } from "../api/Server";
import type { Webhook, WebhookRequest } from "../api/Schema";
import { FormDialog } from "../design/Dialog";
import { Choice, TextField } from "../design/Field";
import { Read } from "../design/Page";
import { useWords } from "../text/Text";

type Kind = NonNullable<WebhookRequest["kinds"]>[number];

/** A new webhook, or a change. @param done takes what the server made of it: a new one has its secret. */
export function WebhookForm({ webhook, close, done }: { webhook?: Webhook; close: () => void; done: (made: Webhook) => void }) {
  const { t } = useWords();
  const kinds = useReading("getWebhooksEvents", {});
  const [url, setURL] = useState(webhook?.url ?? ""), [description, setDescription] = useState(webhook?.description ?? "");
  const [active, setActive] = useState(webhook?.active ?? true), [isAll, setAll] = useState(!webhook?.kinds);
  // Of a kind that this server has no more, nothing is asked.
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set(webhook?.kinds ?? [])), [fault, setFault] = useState<Fault | null>(null);
  const known = kinds.value?.items.map(one => one.name) ?? [];
  const wanted = known.filter(one => chosen.has(one));
  const act = async () => {
    setFault(null);
    const request: WebhookRequest = { url: url.trim(), description: description.trim(), active, ...(!isAll && { kinds: wanted }) };
    done(await (webhook ? client.call("putWebhooksById", { id: webhook.id }, request) : client.call("postWebhooks", {}, request)));
  };
  const choose = (kind: Kind, isChosen: boolean) => {
    const next = new Set(chosen);
    if (isChosen) next.add(kind); else next.delete(kind);
    setChosen(next);
  };
  return (
    <FormDialog title={webhook ? t("webhooks.edit") : t("webhooks.add")} submit={t("save")} close={close} act={act} failed={setFault}
      ready={url.trim() !== "" && description.trim() !== "" && (isAll || wanted.length > 0)}>
      <TextField label={t("webhooks.description")} name="description" value={description} set={setDescription} required maxLength={100} error={fault?.about("description")} />
      <TextField label={t("webhooks.url")} name="url" hint={t("webhooks.urlHint")} value={url} set={setURL} required inputMode="url" autoCapitalize="off" spellCheck={false} error={fault?.about("url")} />
      <Choice label={t("webhooks.active")} checked={active} set={setActive} />
      <Choice label={t("webhooks.all")} hint={t("webhooks.allHint")} checked={isAll} set={setAll} />
      {!isAll && (
        <Read of={kinds}>{({ items }) => (
          <fieldset className="choices many">
            <legend>{t("webhooks.kinds")}</legend>
            {items.map(({ name }) => <Choice key={name} label={<code>{name}</code>} checked={chosen.has(name)} set={isChosen => choose(name, isChosen)} />)}
          </fieldset>
        )}</Read>
      )}
    </FormDialog>
  );
}
