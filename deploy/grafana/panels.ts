// Parts of dashboards, typed by Grafana's schema: queries, panels, variables, layout.
import {
  AxisPlacement,
  type Dashboard,
  DashboardCursorSync,
  FieldColorModeId,
  GraphDrawStyle,
  type GraphFieldConfig,
  HeatmapCellLayout,
  LegendDisplayMode,
  type Panel,
  SortOrder,
  StackingMode,
  type Threshold,
  ThresholdsMode,
  TooltipDisplayMode,
  type VariableModel,
  VariableRefresh,
  VariableSort,
  VisibilityMode
} from '@grafana/schema'
import {
  HeatmapColorMode,
  HeatmapColorScale,
  type Options as HeatmapOptions
} from '@grafana/schema/dist/esm/raw/composable/heatmap/panelcfg/x/HeatmapPanelCfg_types.gen'
import type { Options as TimeSeriesOptions } from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen'

/** The Prometheus that the reader selects. */
const datasource = { type: 'prometheus', uid: '$datasource' }

export interface Query {
  readonly expr: string
  readonly legend: string
  /** Shows exemplars, too. */
  readonly exemplar?: boolean
  /** One row of a table with the current value, instead of a series. */
  readonly table?: boolean
  readonly heatmap?: boolean
}

const formatOf = ({ heatmap, table }: Query): string => (heatmap ? 'heatmap' : table ? 'table' : 'time_series')

const targetsOf = (queries: readonly Query[]): Record<string, unknown>[] =>
  queries.map((query, i) => ({
    datasource,
    editorMode: 'code',
    expr: query.expr,
    legendFormat: query.legend,
    refId: String.fromCharCode(65 + i),
    format: formatOf(query),
    exemplar: query.exemplar ?? false,
    instant: query.table ?? false,
    range: !(query.table ?? false)
  }))

interface PanelOptions {
  readonly title: string
  /** For the reader: the meaning, and what to do. */
  readonly description: string
  readonly unit: string
  /** Columns, of 24. */
  readonly width: number
  readonly height?: number
  readonly queries: readonly Query[]
}

const common = ({ title, description, width, height = 8, queries }: PanelOptions, type: string): Panel => ({
  type,
  title,
  description,
  datasource,
  targets: targetsOf(queries),
  gridPos: { h: height, w: width, x: 0, y: 0 }
})

/** Lines, or stacked areas. */
export const lines = (panel: PanelOptions & { readonly stacked?: boolean; readonly max?: number }): Panel => {
  const { unit, stacked = false, max } = panel
  const graph: GraphFieldConfig = {
    drawStyle: GraphDrawStyle.Line,
    lineWidth: 1,
    fillOpacity: stacked ? 40 : 5,
    stacking: { mode: stacked ? StackingMode.Normal : StackingMode.None, group: 'A' }
  }
  const options: TimeSeriesOptions = {
    legend: {
      displayMode: LegendDisplayMode.Table,
      placement: 'bottom',
      showLegend: true,
      calcs: ['lastNotNull', 'max']
    },
    tooltip: { mode: TooltipDisplayMode.Multi, sort: SortOrder.Descending }
  }
  return {
    ...common(panel, 'timeseries'),
    fieldConfig: {
      defaults: { unit, min: 0, ...(max === undefined ? {} : { max }), custom: { ...graph } },
      overrides: []
    },
    options: { ...options }
  }
}

/** One number, coloured by the severities of the alerting rules. */
export const number = (panel: PanelOptions & { readonly warningAt?: number; readonly criticalAt?: number }): Panel => {
  const { unit, warningAt, criticalAt } = panel
  const steps: Threshold[] = [{ color: 'green', value: null }]
  if (warningAt !== undefined) steps.push({ color: 'orange', value: warningAt })
  if (criticalAt !== undefined) steps.push({ color: 'red', value: criticalAt })
  return {
    ...common({ height: 4, ...panel }, 'stat'),
    fieldConfig: { defaults: { unit, thresholds: { mode: ThresholdsMode.Absolute, steps } }, overrides: [] },
    options: {
      reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
      colorMode: steps.length > 1 ? 'background' : 'value',
      graphMode: 'area',
      justifyMode: 'auto',
      textMode: 'auto'
    }
  }
}

/** Buckets of a histogram over time. The colour scale is exponential: a few slow calls stay visible among many fast ones. */
export const heatMap = (panel: PanelOptions): Panel => {
  const options: HeatmapOptions = {
    calculate: false,
    cellGap: 1,
    color: {
      mode: HeatmapColorMode.Scheme,
      scheme: 'Turbo',
      scale: HeatmapColorScale.Exponential,
      exponent: 0.3,
      steps: 64,
      reverse: false,
      fill: 'blue'
    },
    exemplars: { color: 'rgba(255,0,255,0.7)' },
    filterValues: { le: 1e-9 },
    legend: { show: true },
    rowsFrame: { layout: HeatmapCellLayout.auto, value: 'calls' },
    showValue: VisibilityMode.Never,
    tooltip: { mode: TooltipDisplayMode.Single, yHistogram: true, showColorScale: true },
    yAxis: { axisPlacement: AxisPlacement.Left, unit: panel.unit, reverse: false }
  }
  return { ...common(panel, 'heatmap'), options: { ...options } }
}

/** Each series as a state over time; 1 is on. */
export const states = (panel: PanelOptions): Panel => ({
  ...common(panel, 'state-timeline'),
  fieldConfig: {
    defaults: {
      unit: panel.unit,
      custom: { fillOpacity: 70, lineWidth: 0 },
      mappings: [],
      color: { mode: FieldColorModeId.ContinuousGrYlRd },
      min: 0,
      max: 1
    },
    overrides: []
  },
  options: { mergeValues: true, showValue: 'never', rowHeight: 0.8, legend: { showLegend: false } }
})

export const table = (panel: PanelOptions): Panel => ({
  ...common(panel, 'table'),
  fieldConfig: { defaults: { unit: panel.unit, custom: { filterable: true } }, overrides: [] },
  transformations: [{ id: 'organize', options: { excludeByName: { Time: true, __name__: true, job: true } } }],
  options: { showHeader: true, cellHeight: 'sm', sortBy: [{ displayName: 'Value', desc: true }] }
})

/** A variable with the values of a label; several can be selected. */
export const labelVariable = (name: string, metric: string, filter = ''): VariableModel => ({
  type: 'query',
  name,
  label: name,
  datasource,
  query: { query: `label_values(${metric}${filter === '' ? '' : `{${filter}}`}, ${name})`, refId: name },
  refresh: VariableRefresh.onTimeRangeChanged,
  sort: VariableSort.alphabeticalAsc,
  multi: true,
  includeAll: true,
  allValue: '.*',
  current: { text: 'All', value: '$__all' }
})

const datasourceVariable: VariableModel = {
  type: 'datasource',
  name: 'datasource',
  label: 'Prometheus',
  query: 'prometheus',
  refresh: VariableRefresh.onDashboardLoad
}

/** Lays out panels from left to right, then downwards. */
const placed = (panels: readonly Panel[]): Panel[] => {
  let [x, y, rowHeight] = [0, 0, 0]
  return panels.map((panel, i) => {
    const { w, h } = panel.gridPos as NonNullable<Panel['gridPos']>
    if (x + w > 24) {
      y += rowHeight
      x = 0
      rowHeight = 0
    }
    const gridPos = { h, w, x, y }
    x += w
    rowHeight = Math.max(rowHeight, h)
    return { ...panel, id: i + 1, gridPos }
  })
}

export interface DashboardParts {
  readonly uid: string
  readonly title: string
  readonly description: string
  readonly variables: readonly VariableModel[]
  readonly panels: readonly Panel[]
}

export const dashboard = ({ uid, title, description, variables, panels }: DashboardParts): Dashboard => ({
  uid,
  title,
  description,
  tags: ['ringside'],
  schemaVersion: 41,
  version: 1,
  editable: true,
  graphTooltip: DashboardCursorSync.Crosshair,
  time: { from: 'now-1h', to: 'now' },
  refresh: '30s',
  timezone: 'browser',
  templating: { list: [datasourceVariable, ...variables] },
  links: [
    {
      ...{
        type: 'dashboards',
        title: 'Ringside',
        tags: ['ringside'],
        asDropdown: true,
        includeVars: true,
        keepTime: true
      },
      ...{ icon: '', tooltip: '', targetBlank: false }
    }
  ],
  panels: placed(panels)
})
