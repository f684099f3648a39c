import { Component, type ReactNode } from "react";
import { Fault } from "../api/Fault";
import { asFault, reports } from "../api/Server";
import { Button } from "../design/Button";
import { FaultNote } from "../design/Fault";
import { useWords } from "../text/Text";

/** What is shown where a page of ours failed: never nothing. The server is told. */
export class Mishap extends Component<{ children: ReactNode }, { fault: Fault | null }> {
  state = { fault: null };

  static getDerivedStateFromError(thrown: unknown) {
    return { fault: new Fault("program", asFault(thrown).message) };
  }

  componentDidCatch(thrown: unknown) { reports.tell("render", thrown); }

  render() {
    return this.state.fault ? <Failed fault={this.state.fault} /> : this.props.children;
  }
}

function Failed({ fault }: { fault: Fault }) {
  const { t } = useWords();
  return (
    <main className="entry">
      <FaultNote fault={fault} />
      <Button look="primary" onClick={() => location.reload()}>{t("reload")}</Button>
    </main>
  );
}
