// What stands above a list: a search, filters, actions, and how many there are.
import { h } from './dom.js';

/** A search that tells what was typed, and by Enter what was asked for. */
export function search(label, value, typed, asked) {
    const input = h('input', {
        type: 'search', 'aria-label': label, placeholder: label, value, spellcheck: 'false', autocomplete: 'off',
        oninput: () => { typed(input.value.trim().toLowerCase()); },
        onkeydown: (e) => { if (e.key === 'Enter') asked?.(input.value.trim()); },
    });
    return input;
}

/** Does any of these hold what was typed? */
export const holds = (typed, ...texts) => !typed || texts.some((t) => t && String(t).toLowerCase().includes(typed));
