import { render } from 'preact'
import 'uplot/dist/uPlot.min.css'
import { App } from './app.tsx'
import './style/base.css'
import './style/page.css'
import './style/parts.css'
import './style/narrow.css'
import { Panel } from './panel.ts'

render(<App panel={new Panel()} />, document.body)
