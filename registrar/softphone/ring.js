// A bell, made here: two tones, a second on and two off.

/** Rings until the function that it returns is called. Before the first click on a page browsers keep it silent. */
export function ring() {
    const sound = new AudioContext(), gain = sound.createGain();
    gain.gain.value = 0;
    gain.connect(sound.destination);
    for (const hz of [440, 554]) {
        const tone = new OscillatorNode(sound, { frequency: hz });
        tone.connect(gain);
        tone.start();
    }
    const strike = () => {
        gain.gain.setTargetAtTime(0.08, sound.currentTime, 0.02);
        gain.gain.setTargetAtTime(0, sound.currentTime + 1, 0.05);
    };
    strike();
    const timer = setInterval(strike, 3000);
    return () => {
        clearInterval(timer);
        sound.close();
    };
}
