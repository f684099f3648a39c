import { useEffect, useId, useRef, useState, type FormEvent, type ReactNode } from "react";
import type { Fault } from "../api/Fault";
import { useWords } from "../text/Text";
import { Button, useAct } from "./Button";
import { FaultNote } from "./Fault";
import { TextField } from "./Field";

type DialogProps = { title: string; close: () => void; children: ReactNode; wide?: boolean };

/** A modal dialog: the browser keeps the keyboard in it, and Escape closes it. */
export function Dialog({ title, close, children, wide }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null), label = useId();
  useEffect(() => {
    const dialog = element.current;
    if (!dialog || dialog.open) return;
    const before = document.activeElement;
    dialog.showModal();
    // What is to be filled in first, where there is something.
    dialog.querySelector<HTMLElement>("input:not([readonly], [type=hidden], [type=checkbox]), select, textarea")?.focus();
    // A browser gives the keyboard back where a dialog is closed, and here it is taken out of the page.
    return () => {
      if (document.activeElement && document.activeElement !== document.body) return;
      const next = before instanceof HTMLElement && before.isConnected ? before : document.getElementById("main");
      next?.focus();
    };
  }, []);
  // A browser closes it at the second Escape, asked or not: whoever owns it decides.
  const stay = () => {
    close();
    setTimeout(() => { if (element.current && !element.current.open) element.current.showModal(); });
  };
  return (
    <dialog ref={element} className={wide ? "wide" : undefined} aria-labelledby={label} onCancel={event => { event.preventDefault(); close(); }} onClose={stay}>
      <h2 id={label}>{title}</h2>
      {children}
    </dialog>
  );
}

type FormDialogProps = DialogProps & {
  submit: string;
  grave?: boolean;
  ready?: boolean;
  /** Throws what the server refused; closes the dialog otherwise. */
  act: () => Promise<unknown>;
  fault?: Fault | null;
  failed?: (fault: Fault) => void;
};

/** A dialog that asks for something and sends it. */
export function FormDialog({ submit, grave, ready = true, act, failed, children, ...rest }: FormDialogProps) {
  const { t } = useWords();
  const [fault, setFault] = useState<Fault | null>(null);
  const { state, run } = useAct(async () => { await act(); rest.close(); }, fault => { setFault(fault); failed?.(fault); });
  const send = (event: FormEvent) => {
    event.preventDefault();
    setFault(null);
    if (ready) void run();
  };
  return (
    <Dialog {...rest}>
      <form onSubmit={send} className="stack">
        {children}
        {fault && <FaultNote fault={fault} />}
        <div className="buttons">
          <Button onClick={rest.close}>{t("cancel")}</Button>
          <Button type="submit" look={grave ? "grave" : "primary"} disabled={!ready || state === "busy"} aria-busy={state === "busy"}>
            {state === "busy" && <span className="spinner" />}{submit}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

type ConfirmProps = Omit<FormDialogProps, "ready" | "grave"> & { typed?: string };

/** Asks before what cannot be taken back; what weighs most is typed. */
export function ConfirmDialog({ typed, children, ...rest }: ConfirmProps) {
  const { t } = useWords();
  const [text, setText] = useState("");
  return (
    <FormDialog {...rest} grave ready={typed === undefined || text === typed}>
      {children}
      {typed !== undefined && <TextField label={t("confirm.type", { text: typed })} value={text} set={setText} autoComplete="off" />}
    </FormDialog>
  );
}
