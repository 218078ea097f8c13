// The page, from top to bottom.
import { useEffect, useMemo, useState } from 'preact/hooks'
import { Charts } from './charts/charts.tsx'
import { Crosshair } from './charts/crosshair.ts'
import { useSlots } from './charts/use-slots.ts'
import { KeyHelp } from './keys/key-help.tsx'
import { useKeys } from './keys/use-keys.ts'
import { AlertFeed } from './sections/alert-feed.tsx'
import { AuditSearch } from './sections/audit-search.tsx'
import { HostStrip } from './sections/host-strip.tsx'
import { Login } from './sections/login.tsx'
import { Notices, Waiting } from './sections/notices.tsx'
import { TopBar } from './sections/top-bar.tsx'
import { TopTalkers } from './sections/top-talkers.tsx'
import type { Controller } from './state/controller.ts'
import { useChanges } from './state/use-changes.ts'
import { ControllerProvider } from './state/use-controller.ts'
import { applyTheme, isDark, onSchemeChange, readColours, storedTheme, type Theme, themes } from './theme.ts'

const useTheme = () => {
  const [theme, setTheme] = useState(storedTheme)
  const [dark, setDark] = useState(isDark(theme))
  useEffect(() => onSchemeChange(() => setDark(isDark(theme))), [theme])
  const colours = useMemo(() => {
    applyTheme(theme)
    return readColours(dark)
  }, [theme, dark])
  const choose = (next: Theme): void => {
    setTheme(next)
    setDark(isDark(next))
  }
  return { theme, colours, choose }
}

export const App = ({ controller }: { readonly controller: Controller }) => {
  useChanges(controller)
  const { model, connectionState } = controller
  const { theme, colours, choose } = useTheme()
  const [isHelpOpen, openHelp] = useState(false)
  const crosshair = useMemo(() => new Crosshair(), [])
  const slots = useSlots(model)
  useKeys(controller, {
    crosshair,
    slots: slots.times.length,
    onTheme: () => choose(themes[(themes.indexOf(theme) + 1) % themes.length] ?? 'auto'),
    onHelp: () => openHelp(true)
  })
  const isStale = controller.view.atMs === null && (connectionState.is !== 'open' || model.staleReason !== null)
  return (
    <ControllerProvider value={controller}>
      {connectionState.is === 'refused' ? (
        <Login wasGiven={connectionState.wasGiven} />
      ) : (
        <>
          <TopBar theme={theme} onTheme={choose} onHelp={() => openHelp(true)} />
          {model.hello === undefined ? (
            <Waiting />
          ) : (
            <main>
              <HostStrip />
              <Notices />
              <Charts slots={slots} colours={colours} crosshair={crosshair} isStale={isStale} />
              <div class="lists">
                <TopTalkers />
                <AlertFeed />
              </div>
              <AuditSearch />
            </main>
          )}
        </>
      )}
      <KeyHelp isOpen={isHelpOpen} onClose={() => openHelp(false)} />
    </ControllerProvider>
  )
}
