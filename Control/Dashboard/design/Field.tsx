import { useId, type InputHTMLAttributes, type ReactNode, type SelectHTMLAttributes } from "react";

type Around = { label: string; hint?: ReactNode; error?: string };

/** A label, a control, a hint, and what is wrong with it, tied together for those who do not see them. */
function Field({ label, hint, error, id, children }: Around & { id: string; children: ReactNode }) {
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children}
      {hint && <p className="hint" id={`${id}-hint`}>{hint}</p>}
      {error && <p className="error" id={`${id}-error`} role="alert">{error}</p>}
    </div>
  );
}

const described = (id: string, { hint, error }: Around) =>
  ({ "aria-describedby": [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ") || undefined, "aria-invalid": error ? true : undefined });

type TextProps = Around & Omit<InputHTMLAttributes<HTMLInputElement>, "value" | "onChange"> & { value: string; set: (text: string) => void };

export function TextField({ label, hint, error, value, set, ...rest }: TextProps) {
  const id = useId();
  return (
    <Field label={label} hint={hint} error={error} id={id}>
      <input id={id} value={value} onChange={event => set(event.target.value)} {...described(id, { label, hint, error })} {...rest} />
    </Field>
  );
}

type AreaProps = Around & { value: string; set: (text: string) => void; rows: number; readOnly?: boolean };

export function AreaField({ label, hint, error, value, set, rows, readOnly }: AreaProps) {
  const id = useId();
  return (
    <Field label={label} hint={hint} error={error} id={id}>
      <textarea id={id} value={value} rows={rows} readOnly={readOnly} spellCheck={false} autoComplete="off" autoCapitalize="off"
        onChange={event => set(event.target.value)} {...described(id, { label, hint, error })} />
    </Field>
  );
}

type SelectProps = Around & Omit<SelectHTMLAttributes<HTMLSelectElement>, "value" | "onChange"> & {
  value: string; set: (value: string) => void; options: readonly (readonly [value: string, text: string])[];
};

export function SelectField({ label, hint, error, value, set, options, ...rest }: SelectProps) {
  const id = useId();
  return (
    <Field label={label} hint={hint} error={error} id={id}>
      <select id={id} value={value} onChange={event => set(event.target.value)} {...described(id, { label, hint, error })} {...rest}>
        {options.map(([value, text]) => <option key={value} value={value}>{text}</option>)}
      </select>
    </Field>
  );
}

export function Choice({ label, checked, set, hint }: { label: ReactNode; checked: boolean; set: (checked: boolean) => void; hint?: ReactNode }) {
  return (
    <label className="choice">
      <input type="checkbox" checked={checked} onChange={event => set(event.target.checked)} />
      <span>{label}{hint && <span className="hint">{hint}</span>}</span>
    </label>
  );
}
