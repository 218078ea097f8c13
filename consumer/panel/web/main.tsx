// Entry point of the panel's page: renders the app.
import { render } from 'preact'
import 'uplot/dist/uPlot.min.css'
import { App } from './app.tsx'
import './style/base.css'
import './style/page.css'
import './style/parts.css'
import './style/narrow.css'
import { makeTextsPrintable } from './printable-texts.ts'
import { Controller } from './state/controller.ts'

makeTextsPrintable()
render(<App controller={new Controller()} />, document.body)
