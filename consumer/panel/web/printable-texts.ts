// Every text of the page is made printable, wherever it comes from: names of threads, files and hosts can hold anything.
import { options, type VNode } from 'preact'
import { printable } from '../../../runtime/printable.ts'

/** Attributes that a browser shows or reads aloud. */
const shownAttributes = ['title', 'aria-label', 'placeholder'] as const

/** Call it before the first render. */
export const makeTextsPrintable = (): void => {
  options.vnode = (vnode: VNode) => {
    // Preact passes the text of a text node in place of properties.
    const node = vnode as { readonly type: unknown; props: unknown }
    if (typeof node.props === 'string') node.props = printable(node.props)
    if (typeof node.type !== 'string') return
    const attributes = node.props as Record<string, unknown>
    for (const name of shownAttributes) {
      const text = attributes[name]
      if (typeof text === 'string') attributes[name] = printable(text)
    }
  }
}
