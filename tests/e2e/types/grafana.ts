// What Grafana knows of a dashboard (its own types), where a panel's type says which options it has.
import type { DataSourceRef } from '@grafana/schema';
import type * as dashboard from './node_modules/@grafana/schema/dist/esm/raw/dashboard/x/dashboard_types.gen';
import type { PrometheusDataQuery } from './node_modules/@grafana/schema/dist/esm/raw/composable/prometheus/dataquery/x/PrometheusDataQuery_types.gen';
import type * as stat from './node_modules/@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type * as timeseries from './node_modules/@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

// JSON has the texts of enums.
type Plain<T> = T extends string ? `${T}` : T extends Array<infer U> ? Array<Plain<U>> : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;

type Panel<Type, Options, Custom> = Omit<dashboard.Panel, 'type' | 'options' | 'fieldConfig' | 'targets'> & {
    type: Type;
    title: string;
    datasource: DataSourceRef;
    gridPos: dashboard.GridPos;
    options: Options;
    targets: Array<PrometheusDataQuery & { datasource: DataSourceRef }>;
    fieldConfig: { defaults: Omit<dashboard.FieldConfig, 'custom'> & { custom?: Custom }; overrides: [] };
};

export type Dashboard = Plain<Omit<dashboard.Dashboard, 'panels'> & {
    panels: Array<dashboard.RowPanel | Panel<'stat', stat.Options, never> | Panel<'timeseries', timeseries.Options, timeseries.FieldConfig>>;
}>;
