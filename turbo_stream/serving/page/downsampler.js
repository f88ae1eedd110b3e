// For browsers that open a microphone only at the rate of its device (Firefox).
// A windowed sinc, evaluated where each new sample falls; state is kept from block to block.

const HALF_WIDTH = 16; // zero crossings on each side

export class Downsampler {
  constructor(from, to) {
    this.step = from / to;
    this.cutoff = Math.min(1, to / from) * 0.94; // of the Nyquist frequency of `from`
    this.reach = Math.ceil(HALF_WIDTH / this.cutoff);
    this.past = new Float32Array(2 * this.reach); // begins in silence
    this.at = this.reach; // where in `past` and what follows the next sample falls
  }

  process(block) {
    const sound = new Float32Array(this.past.length + block.length);
    sound.set(this.past);
    sound.set(block, this.past.length);
    const out = [];
    while (this.at + this.reach < sound.length) {
      out.push(this.sample(sound, this.at));
      this.at += this.step;
    }
    const kept = Math.min(sound.length, 2 * this.reach + Math.ceil(this.step));
    this.past = sound.slice(sound.length - kept);
    this.at -= sound.length - kept;
    return out;
  }

  sample(sound, at) {
    const first = Math.ceil(at - this.reach);
    let sum = 0;
    for (let i = Math.max(0, first); i <= at + this.reach; i++) {
      const distance = i - at;
      const x = Math.PI * this.cutoff * distance;
      const sinc = distance === 0 ? this.cutoff : (this.cutoff * Math.sin(x)) / x;
      sum += sound[i] * sinc * (0.5 + 0.5 * Math.cos((Math.PI * distance) / this.reach));
    }
    return sum;
  }
}
