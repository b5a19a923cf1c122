// Plots by uPlot, which the build takes from npm; where it could not, a table says the same.
import { fill, h } from './dom.js';

const COLORS = [['#a3211b', '#f5a19b'], ['#0b5a8f', '#7cc0f2'], ['#7a4d00', '#eec479'], ['#14653a', '#86d6a4'], ['#5b3f91', '#c3abf0'], ['#5b6570', '#9aa5b0']];
const dark = matchMedia('(prefers-color-scheme: dark)');
export const color = (i) => COLORS[i % COLORS.length][dark.matches ? 1 : 0];

let loading;
function load() {
    loading ??= import('./uPlot.esm.js').then((m) => {
        document.head.append(h('link', { rel: 'stylesheet', href: 'uPlot.min.css' }));
        return m.default;
    }, () => null);
    return loading;
}

function swatch(i) {
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    const box = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
    box.setAttribute('width', '100%');
    box.setAttribute('height', '100%');
    box.setAttribute('rx', '2');
    box.setAttribute('fill', color(i));
    svg.append(box);
    return svg;
}

/** Bars on top of each other: the sums from each series on, so that the first is drawn last and lowest. */
function stacked(series) {
    const sums = series.map((one) => [...one.values]);
    for (let i = 1; i < sums.length; i++)
        sums[i] = sums[i].map((v, k) => v + sums[i - 1][k]);
    return sums;
}

const options = (uPlot, width, series, step) => {
    const style = getComputedStyle(document.body);
    const axis = { stroke: style.getPropertyValue('--dim'), grid: { stroke: style.getPropertyValue('--line'), width: 1 }, ticks: { show: false }, font: '11px system-ui, sans-serif' };
    return {
        width, height: 220, legend: { show: false }, cursor: { drag: { x: false, y: false }, points: { show: false } },
        scales: { y: { range: (u, min, max) => [0, Math.max(4, Math.ceil(max * 1.1))] } },
        axes: [{ ...axis, space: 60, size: 28, values: '{HH}:{mm}' }, { ...axis, size: 42, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000] }],
        series: [{}, ...series.map((one, i) => ({
            label: one.name, fill: color(i), stroke: color(i), width: 0, points: { show: false },
            paths: uPlot.paths.bars({ size: [0.8, Math.max(2, width / step)] }),
        })).reverse()],
    };
};

/** element, and show(times in seconds, [{ name, values }]). label: what it is, for who cannot see it. */
export function bars(label, empty) {
    const place = h('div', { class: 'plot', role: 'img', 'aria-label': label });
    const legend = h('ul', { class: 'legend' });
    const element = h('div', {}, place, legend);
    let plot = null, last = null;

    async function show(times, series) {
        last = [times, series];
        const total = (s) => s.values.reduce((a, b) => a + b, 0);
        fill(legend, series.map((s, i) => h('li', {}, swatch(i), s.name, ' ', h('strong', {}, String(total(s))))));
        const uPlot = await load();
        plot?.destroy();
        plot = null;
        if (!series.length) {
            fill(place, h('p', { class: 'empty' }, empty));
        } else if (!uPlot) {
            fill(place, h('p', { class: 'hint' }, 'This authd was built without plots (npm was not there): sums only.'));
        } else {
            fill(place);
            const data = [times, ...stacked(series).reverse()];
            plot = new uPlot(options(uPlot, place.clientWidth || 600, series, times.length), data, place);
        }
    }

    const again = () => { if (last && place.isConnected) show(...last); };
    new ResizeObserver(() => { if (plot && Math.abs(plot.width - place.clientWidth) > 4) again(); }).observe(place);
    dark.addEventListener('change', again);
    return { element, show };
}
