import { render } from 'preact'
import 'uplot/dist/uPlot.min.css'
import { App } from './app.tsx'
import './page.css'
import { Panel } from './panel.ts'

render(<App panel={new Panel()} />, document.body)
