// The dialog that lists the keys.
import { useEffect, useRef } from 'preact/hooks'
import { actions, keyName } from './keys.ts'

interface Props {
  readonly isOpen: boolean
  onClose(): void
}

export const KeyHelp = ({ isOpen, onClose }: Props) => {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    if (isOpen) dialog.current?.showModal()
    else dialog.current?.close()
  }, [isOpen])
  return (
    <dialog ref={dialog} onClose={onClose} aria-labelledby="help-title" data-testid="help">
      <h2 id="help-title">Keys</h2>
      <dl>
        {actions.map(([action, key, text]) => (
          <div key={action}>
            <dt>
              <kbd>{keyName(key)}</kbd>
            </dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
      <p class="dim">The page's address has all choices: bookmark it or share it.</p>
      <button type="button" onClick={onClose}>
        Close
      </button>
    </dialog>
  )
}
