// A link to another view of this page. In this tab it opens without a reload; it also opens in a new tab.
import type { ComponentChildren } from 'preact'
import { useController } from '../state/use-controller.ts'
import type { View } from '../state/view.ts'

interface Props {
  readonly to: Partial<View>
  readonly children: ComponentChildren
  readonly title?: string
  readonly class?: string
  /** The keys j and k move the focus to it. */
  readonly isRow?: boolean
  readonly isCurrent?: boolean
}

export const ViewLink = ({ to, children, isRow, isCurrent, ...others }: Props) => {
  const controller = useController()
  const follow = (event: MouseEvent): void => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return
    event.preventDefault()
    controller.choose(to)
  }
  return (
    <a {...others} href={controller.address(to)} onClick={follow} data-row={isRow} aria-current={isCurrent}>
      {children}
    </a>
  )
}
