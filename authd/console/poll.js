// Looks again and again, while somebody looks.

/** Runs look() now and every `seconds` until signal ends it; not while the tab is hidden. The first error is thrown. */
export async function poll(seconds, signal, look) {
    await look();
    const again = async () => {
        if (signal.aborted)
            return;
        if (!document.hidden) {
            try {
                await look();
            } catch { /* the next time, perhaps */ }
        }
        setTimeout(again, seconds * 1000);
    };
    setTimeout(again, seconds * 1000);
}
