import { useMay, useReading } from "../api/Server";
import { Icon } from "../design/Icon";
import { useEvery } from "../pages/useEvery";
import { useWords } from "../text/Text";
import { Link } from "./Router";

/** What the server itself lacks, on every page of those who may see it: a certificate that ends, a disk that fills. */
export function Warnings() {
  return useMay()("diagnostics.view") ? <Shown /> : null;
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
