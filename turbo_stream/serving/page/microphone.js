// The microphone as 16-bit blocks at 16 kHz.

const WANTED = { channelCount: 1, echoCancellation: true, noiseSuppression: false, autoGainControl: false };

const REASONS = {
  NotAllowedError: "The microphone was not allowed. Allow it for this page in the address bar, then start again.",
  NotFoundError: "No microphone was found. Connect one, then start again.",
  NotReadableError: "The microphone cannot be opened: another program may be using it.",
};

export class Microphone {
  // `hear` is given an Int16Array at a time; `lost` is called when the device goes away.
  static async open(hear, lost) {
    if (!navigator.mediaDevices) {
      throw new Error("Browsers give a microphone to pages over HTTPS or from this very machine only.");
    }
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: WANTED });
    } catch (error) {
      throw new Error(REASONS[error.name] ?? `The microphone cannot be used: ${error.message}`);
    }
    const microphone = new Microphone(stream);
    stream.getAudioTracks()[0].addEventListener("ended", lost);
    try {
      await microphone.connect(hear);
    } catch (error) {
      await microphone.close();
      throw error;
    }
    return microphone;
  }

  constructor(stream) {
    this.stream = stream;
    this.context = null;
  }

  async connect(hear) {
    let source;
    try {
      this.context = new AudioContext({ sampleRate: 16000 });
      source = this.context.createMediaStreamSource(this.stream);
    } catch {
      await this.context?.close();
      this.context = new AudioContext(); // at the rate of the device; the worklet converts
      source = this.context.createMediaStreamSource(this.stream);
    }
    await this.context.audioWorklet.addModule("capture-worklet.js");
    const capture = new AudioWorkletNode(this.context, "capture", { numberOfOutputs: 0 });
    capture.port.onmessage = ({ data }) => hear(new Int16Array(data));
    source.connect(capture);
    await this.context.resume();
  }

  async close() {
    for (const track of this.stream.getTracks()) track.stop();
    if (this.context && this.context.state !== "closed") await this.context.close();
  }
}
