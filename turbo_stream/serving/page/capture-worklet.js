// Runs on the audio thread: hands blocks of 32 ms, 16-bit at 16 kHz, to the page.
import { Downsampler } from "./downsampler.js";

const RATE = 16000;
const BLOCK = 512;

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.downsampler = sampleRate === RATE ? null : new Downsampler(sampleRate, RATE);
    this.block = new Int16Array(BLOCK);
    this.filled = 0;
  }

  process(inputs) {
    const channel = inputs[0][0];
    if (!channel) return true; // no microphone yet
    const sound = this.downsampler ? this.downsampler.process(channel) : channel;
    for (const sample of sound) {
      this.block[this.filled++] = Math.max(-32768, Math.min(32767, Math.round(sample * 32768)));
      if (this.filled === BLOCK) {
        this.port.postMessage(this.block.buffer, [this.block.buffer]);
        this.block = new Int16Array(BLOCK);
        this.filled = 0;
      }
    }
    return true;
  }
}

registerProcessor("capture", Capture);
