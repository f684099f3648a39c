import { useEffect, type ReactNode } from "react";
import { Link } from "../app/Router";
import type { Fault } from "../api/Fault";
import { useWords } from "../text/Text";
import { FaultNote } from "./Fault";
import { Icon } from "./Icon";

type PageProps = { title: string; back?: { to: string; text: string }; badge?: ReactNode; actions?: ReactNode; children: ReactNode };

/** The head of a page and what follows. */
export function Page({ title, back, badge, actions, children }: PageProps) {
  useEffect(() => { document.title = `${title} · Strata`; }, [title]);
  return (
    <div className="page">
      {back && <Link className="back" to={back.to}><Icon name="back" />{back.text}</Link>}
      <header className="head">
        <h1>{title}{badge}</h1>
        {actions && <div className="buttons">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

export function Card({ title, actions, children, tone }: { title?: string; actions?: ReactNode; children: ReactNode; tone?: "bad" | "warn" }) {
  return (
    <section className={`card ${tone ?? ""}`}>
      {(title || actions) && <header>{title && <h2>{title}</h2>}{actions && <div className="buttons">{actions}</div>}</header>}
      {children}
    </section>
  );
}

/** Grey lines where something is about to be. */
export function Skeleton({ lines = 4 }: { lines?: number }) {
  const { t } = useWords();
  return (
    <div className="skeleton" role="status" aria-label={t("loading")}>
      {Array.from({ length: lines }, (_, index) => <span key={index} />)}
    </div>
  );
}

export function Empty({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="empty">
      <h2>{title}</h2>
      {children && <p>{children}</p>}
      {action}
    </div>
  );
}

/** Pairs of a name and what it is; what is not known is left out. */
export function Facts({ facts }: { facts: readonly (readonly [name: string, value: ReactNode])[] }) {
  const known = facts.filter(([, value]) => value !== null && value !== undefined && value !== "" && value !== false);
  return <dl className="facts">{known.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>;
}

/** What was read, or that it is being read, or why not. */
export function Read<Value>({ of, children }: { of: { value?: Value; fault?: Fault; again: () => void }; children: (value: Value) => ReactNode }) {
  if (of.value === undefined) return of.fault ? <FaultNote fault={of.fault} again={of.again} /> : <Skeleton />;
  return <>{of.fault && <FaultNote fault={of.fault} again={of.again} />}{children(of.value)}</>;
}
