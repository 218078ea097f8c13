// The page from its head to its foot.
import { useEffect, useMemo, useState } from 'preact/hooks'
import { AlertFeed } from './alert-feed.tsx'
import { AuditSearch } from './audit-search.tsx'
import { Charts } from './charts/charts.tsx'
import { Crosshair } from './crosshair.ts'
import { Help } from './help.tsx'
import { HostStrip } from './host-strip.tsx'
import { Login } from './login.tsx'
import { Notices, Waiting } from './notices.tsx'
import type { Panel } from './panel.ts'
import { applyTheme, isDark, onSchemeChange, readColours, storedTheme, type Theme, themes } from './theme.ts'
import { TopBar } from './top-bar.tsx'
import { TopTalkers } from './top-talkers.tsx'
import { useKeys } from './use-keys.ts'
import { PanelProvider, useChanges } from './use-panel.ts'
import { useSlots } from './use-slots.ts'

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

export const App = ({ panel }: { readonly panel: Panel }) => {
  useChanges(panel)
  const { model } = panel
  const { theme, colours, choose } = useTheme()
  const [isHelpOpen, openHelp] = useState(false)
  const crosshair = useMemo(() => new Crosshair(), [])
  const slots = useSlots(model)
  useKeys(panel, {
    crosshair,
    slots: slots.times.length,
    onTheme: () => choose(themes[(themes.indexOf(theme) + 1) % themes.length] ?? 'auto'),
    onHelp: () => openHelp(true)
  })
  const isRefused = panel.live.is === 'refused'
  return (
    <PanelProvider value={panel}>
      {isRefused && <Login wasGiven={panel.live.is === 'refused' && panel.live.wasGiven} />}
      {!isRefused && (
        <>
          <TopBar theme={theme} onTheme={choose} onHelp={() => openHelp(true)} />
          {model.hello === undefined ? (
            <Waiting />
          ) : (
            <main>
              <HostStrip />
              <Notices />
              <Charts slots={slots} colours={colours} crosshair={crosshair} />
              <div class="lists">
                <TopTalkers />
                <AlertFeed />
              </div>
              <AuditSearch />
            </main>
          )}
        </>
      )}
      <Help isOpen={isHelpOpen} onClose={() => openHelp(false)} />
    </PanelProvider>
  )
}
