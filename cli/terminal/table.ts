// Rows of text → an aligned table no wider than the terminal. Cells are made printable: text from the kernel can hold
// anything.
import { cutText, printable } from '../../runtime/printable.ts'

export interface Column {
  readonly title: string
  readonly align?: 'left' | 'right'
  /** The least width, so that streamed rows stay aligned. */
  readonly minWidth?: number
  /** Shrinks when the line is too long: its cells are cut at the end. */
  readonly flexible?: boolean
}

const pad = (text: string, width: number, align: Column['align']): string =>
  align === 'right' ? text.padStart(width) : text.padEnd(width)

const gap = 2
/** Of all columns but the last: one long cell of the sample would widen all later rows. */
const maxWidth = 120

/** Fixes the column widths once, then formats rows one by one as they arrive. */
export class TableLayout {
  readonly #columns: readonly Column[]
  readonly #widths: number[]
  readonly #lineWidth: number

  /**
   * @param sample rows that set the widths; later rows are cut to them
   * @param lineWidth columns of the terminal; Infinity where there is none
   */
  constructor(columns: readonly Column[], sample: readonly (readonly string[])[], lineWidth: number) {
    this.#columns = columns
    this.#lineWidth = lineWidth
    this.#widths = columns.map((column, index) => {
      const cells = sample.map((row) => Math.min(printable(row[index] ?? '').length, maxWidth))
      return Math.max(column.title.length, column.minWidth ?? 0, ...cells)
    })
    const total = this.#widths.reduce((sum, width) => sum + width, gap * (columns.length - 1))
    let excess = total - lineWidth
    for (const [index, column] of columns.entries()) {
      if (excess <= 0 || column.flexible !== true) continue
      const width = this.#widths[index] ?? 0
      const shrunk = Math.min(excess, width - Math.min(width, Math.max(column.title.length, 8)))
      this.#widths[index] = width - shrunk
      excess -= shrunk
    }
  }

  header(): string {
    return this.line(this.#columns.map((column) => column.title))
  }

  line(cells: readonly string[]): string {
    const last = this.#columns.length - 1
    const parts = this.#columns.map((column, index) => {
      const width = this.#widths[index] ?? 0
      const text = printable(cells[index] ?? '')
      // The last column is not padded and may use the rest of the line.
      if (index === last && column.align !== 'right' && column.flexible !== true) return text
      return pad(cutText(text, width), width, column.align)
    })
    return cutText(parts.join(' '.repeat(gap)).trimEnd(), this.#lineWidth)
  }
}

/** A whole table, header first, one string a line. */
export const formatTable = (
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  lineWidth: number = Number.POSITIVE_INFINITY
): string[] => {
  const layout = new TableLayout(columns, rows, lineWidth)
  return [layout.header(), ...rows.map((row) => layout.line(row))]
}
