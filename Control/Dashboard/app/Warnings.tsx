import { clock } from "../api/Clock";
import type { APIToken } from "../api/Schema";
import { useMay, useReading, useSession } from "../api/Server";
import { Icon } from "../design/Icon";
import { useEvery } from "../pages/useEvery";
import { useWords } from "../text/Text";
import { Link } from "./Router";

/** On every page: what the server itself lacks, for those who may see it, as a certificate that ends or a disk that fills; and what of one's own ends. */
export function Warnings() {
  return <>{useMay()("diagnostics.view") && <Shown />}<Tokens /></>;
}

const dayMs = 86_400_000;

/** From the first of the notices on that its user gets by mail too: none of those that are as long as it is good for. */
function endsSoon(token: APIToken): boolean {
  const end = Date.parse(token.expiresAt), left = end - clock.now(), life = end - Date.parse(token.createdAt);
  return left > 0 && [30, 7, 1].some(days => left <= days * dayMs && life > days * dayMs);
}

function Tokens() {
  const { t, time } = useWords();
  const { user } = useSession();
  const tokens = useReading("getApiTokens", {});
  useEvery(3_600_000, tokens.again);
  const ending = (tokens.value?.items ?? []).filter(one => one.user === user.id && endsSoon(one));
  return (
    <div role="status">
      {ending.length > 0 && (
        <Link className="warnings" to="/tokens"><Icon name="warning" />{ending.map(one => t("warnings.token", { name: one.name, time: time(one.expiresAt) })).join(" · ")}</Link>
      )}
    </div>
  );
}

function Shown() {
  const { t } = useWords();
  const health = useReading("getDiagnosticsHealth", {});
  useEvery(30_000, health.again);
  // Without an answer the connection's state is said.
  const faults = (health.value?.probes ?? []).filter(probe => probe.status !== "healthy");
  return (
    <div role="status">
      {faults.length > 0 && (
        <Link className="warnings" to="/admin/diagnostics"><Icon name="warning" />{faults.map(probe => probe.detail || `${probe.name}: ${t(`health.${probe.status}`)}`).join(" · ")}</Link>
      )}
    </div>
  );
}
