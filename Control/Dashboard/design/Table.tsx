import type { ReactNode } from "react";

export type Column<Row> = {
  id: string;
  title: string;
  cell: (row: Row) => ReactNode;
  /** Figures stand to the right, one below the other. */
  number?: boolean;
  /** On one line where there are columns. */
  short?: boolean;
  /** The row's own name. */
  heads?: boolean;
  /** Says what it is by itself, where there is no room for columns. */
  bare?: boolean;
};

/** A table that becomes one block for each row where there is no room for columns. */
export function Table<Row>({ label, columns, rows, id }: { label: string; columns: readonly Column<Row>[]; rows: readonly Row[]; id: (row: Row) => string }) {
  const look = (column: Column<Row>) => [column.number && "number", column.short && "short"].filter(Boolean).join(" ") || undefined;
  return (
    <table className="table" aria-label={label}>
      <thead><tr>{columns.map(column => <th key={column.id} scope="col" className={look(column)}>{column.title}</th>)}</tr></thead>
      <tbody>
        {rows.map(row => (
          <tr key={id(row)}>
            {columns.map(column => column.heads
              ? <th key={column.id} scope="row" className={look(column)}>{column.cell(row)}</th>
              : <td key={column.id} data-title={column.id === "act" || column.bare ? undefined : column.title} className={look(column)}>{column.cell(row)}</td>)}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
