// The last ten seconds of sound, with the stretches that were speech.

const SECONDS = 10;
const RATE = 16000;
const COLUMN = 400; // samples, 25 ms

export class Waveform {
  constructor(canvas) {
    this.canvas = canvas;
    this.peaks = [];
    this.first = 0; // stream time of peaks[0], in columns
    this.filled = 0;
    this.peak = 0;
    this.spans = [];
    new ResizeObserver(() => this.fit()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    this.fit();
  }

  clear() {
    this.peaks = [];
    this.first = this.filled = this.peak = 0;
    this.spans = [];
    this.draw();
  }

  hear(pcm) {
    for (const sample of pcm) {
      this.peak = Math.max(this.peak, Math.abs(sample));
      if (++this.filled === COLUMN) {
        this.peaks.push(this.peak / 32768);
        this.filled = this.peak = 0;
      }
    }
    const most = (SECONDS * RATE) / COLUMN;
    if (this.peaks.length > most) {
      this.first += this.peaks.length - most;
      this.peaks = this.peaks.slice(-most);
    }
    this.draw();
  }

  speech(startS, stopS, decision = "") {
    const known = this.spans.find((span) => span.startS === startS);
    if (known) Object.assign(known, { stopS, decision });
    else this.spans.push({ startS, stopS, decision });
    this.spans = this.spans.slice(-20);
    this.draw();
  }

  fit() {
    const scale = devicePixelRatio || 1;
    this.canvas.width = Math.round(this.canvas.clientWidth * scale);
    this.canvas.height = Math.round(this.canvas.clientHeight * scale);
    this.draw();
  }

  draw() {
    const { canvas } = this;
    const paint = canvas.getContext("2d");
    const colour = (name) => getComputedStyle(canvas).getPropertyValue(name).trim();
    const columns = (SECONDS * RATE) / COLUMN;
    const width = canvas.width / columns;
    const x = (seconds) => ((seconds * RATE) / COLUMN - this.first) * width;
    paint.clearRect(0, 0, canvas.width, canvas.height);
    for (const { startS, stopS, decision } of this.spans) {
      const stop = stopS === null ? this.peaks.length * width : x(stopS);
      paint.fillStyle = colour("--speech");
      paint.fillRect(x(startS), 0, stop - x(startS), canvas.height);
      if (decision) {
        paint.fillStyle = colour(`--${decision}`);
        paint.fillRect(x(startS), canvas.height - 4, stop - x(startS), 4);
      }
    }
    paint.fillStyle = colour("--wave");
    this.peaks.forEach((peak, i) => {
      // Decibels: -60 is nothing, 0 all; a quiet voice is to be seen, too.
      const level = peak > 0 ? Math.max(0.02, 1 + (20 * Math.log10(peak)) / 60) : 0.02;
      const height = level * canvas.height * 0.86;
      paint.fillRect(i * width, (canvas.height - height) / 2, Math.max(1, width - 1), height);
    });
  }
}
