import { access, client, useSession } from "../api/Server";
import { ActButton } from "../design/Button";
import { SelectField } from "../design/Field";
import { Avatar } from "./Avatar";
import { Icon } from "../design/Icon";
import { Menu } from "../design/Menu";
import { tellFault } from "../design/Toast";
import { languages, useWords } from "../text/Text";
import type { Key } from "../text/en";
import { prefer, usePreferences, type Preferences } from "./Preferences";
import { go, Link } from "./Router";

const ways: readonly (readonly [to: string, text: Key])[] = [["/account", "nav.account"], ["/tokens", "nav.tokens"], ["/help", "nav.help"]];

/** Who is signed in and what is theirs, how the page looks and speaks, and the way out. */
export function UserMenu() {
  const { t } = useWords();
  const { user } = useSession(), { theme, language } = usePreferences();
  const leave = async () => {
    await client.call("postAuthLogout", {});
    go("/login");
    access.leave();
  };
  return (
    <Menu label={t("user.menu", { name: user.displayName })} button={<><Avatar /><span className="who">{user.displayName}</span><Icon name="down" /></>}>
      {close => (
        <>
          <p className="who"><strong>{user.displayName}</strong><br />{user.email}<br /><span className="muted">{t(`role.${user.role}`)} · {user.organization.name}</span></p>
          {ways.map(([to, text]) => <Link key={to} to={to} className="button plain" onClick={close}>{t(text)}</Link>)}
          <SelectField label={t("user.theme")} value={theme} set={value => prefer({ theme: value as Preferences["theme"] })}
            options={[["auto", t("user.auto")], ["light", t("user.light")], ["dark", t("user.dark")]]} />
          <SelectField label={t("user.language")} value={language} set={value => prefer({ language: value as Preferences["language"] })}
            options={[["auto", t("user.auto")], ...Object.entries(languages)]} />
          <ActButton act={leave} failed={tellFault}>{t("user.leave")}</ActButton>
        </>
      )}
    </Menu>
  );
}
