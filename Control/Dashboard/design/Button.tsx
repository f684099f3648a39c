import { useEffect, useRef, useState, type ButtonHTMLAttributes, type ReactNode } from "react";
import { asFault } from "../api/Server";
import type { Fault } from "../api/Fault";
import { Icon } from "./Icon";

type Look = "primary" | "plain" | "grave" | "quiet";
type Plain = ButtonHTMLAttributes<HTMLButtonElement> & { look?: Look; small?: boolean };

export function Button({ look = "plain", small, className = "", type = "button", ...rest }: Plain) {
  return <button type={type} className={`button ${look}${small ? " small" : ""} ${className}`} {...rest} />;
}

type ActProps = Omit<Plain, "onClick"> & {
  /** What it does; the button shows when that is confirmed, and takes no second press before. */
  act: () => Promise<unknown>;
  failed: (fault: Fault) => void;
  done?: ReactNode;
};

/** A button that asks the server: busy until it has answered, then for two seconds with what was confirmed. */
export function ActButton({ act, failed, done, children, disabled, ...rest }: ActProps) {
  const { state, run } = useAct(act, failed);
  return (
    <Button {...rest} disabled={disabled || state === "busy"} aria-busy={state === "busy"} onClick={run}>
      {state === "busy" && <span className="spinner" />}
      {state === "done" && <Icon name="check" />}
      <span aria-live="polite">{state === "done" && done ? done : children}</span>
    </Button>
  );
}

/** One wish at a time: a second press while the first is under way is the same one. */
export function useAct(act: () => Promise<unknown>, failed: (fault: Fault) => void) {
  const [state, setState] = useState<"idle" | "busy" | "done">("idle");
  const isThere = useRef(true), isBusy = useRef(false);
  useEffect(() => {
    isThere.current = true;
    return () => { isThere.current = false; };
  }, []);
  useEffect(() => {
    if (state !== "done") return;
    const timer = setTimeout(() => setState("idle"), 2000);
    return () => clearTimeout(timer);
  }, [state]);
  const run = async () => {
    if (isBusy.current) return;
    isBusy.current = true;
    setState("busy");
    try {
      await act();
      if (isThere.current) setState("done");
    } catch (thrown) {
      if (isThere.current) setState("idle");
      failed(asFault(thrown));
    } finally {
      isBusy.current = false;
    }
  };
  return { state, run };
}
