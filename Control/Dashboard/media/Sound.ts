/** How loud one's own microphone is, as it is captured. */
export class Meter {
  private readonly context = new AudioContext();
  private readonly ear = this.context.createAnalyser();
  private readonly samples = new Float32Array(1024);
  private source: MediaStreamAudioSourceNode | null = null;

  constructor() {
    this.ear.fftSize = this.samples.length;
  }

  /** Listens to this one from now on. */
  hear(track: MediaStreamTrack | null): void {
    this.source?.disconnect();
    this.source = track && this.context.createMediaStreamSource(new MediaStream([track]));
    this.source?.connect(this.ear);
    // A browser may have it wait for the first press.
    void this.context.resume().catch(() => undefined);
  }

  /** 0 to 1: the root of the mean square of the last 20 ms. */
  level(): number {
    if (!this.source) return 0;
    this.ear.getFloatTimeDomainData(this.samples);
    let sum = 0;
    for (const sample of this.samples) sum += sample * sample;
    return Math.sqrt(sum / this.samples.length);
  }

  close(): void {
    this.source?.disconnect();
    void this.context.close().catch(() => undefined);
  }
}

type Sounding = HTMLMediaElement & { setSinkId?: (id: string) => Promise<void> };

/** Whether this browser can be told where to sound. */
export const choosesSpeaker = (): boolean => "setSinkId" in HTMLMediaElement.prototype;

/** Sounds from this loudspeaker; empty: the system's. */
export async function soundFrom(element: HTMLMediaElement, id: string): Promise<void> {
  try {
    await (element as Sounding).setSinkId?.(id);
  } catch {
    // It is not there any more: the system's own is as good as none chosen.
  }
}

/** Two notes from the chosen loudspeaker, for whoever wants to know that they hear. */
export async function ring(speaker: string): Promise<void> {
  const context = new AudioContext(), out = context.createMediaStreamDestination(), volume = context.createGain(), element = new Audio();
  volume.gain.value = 0.2;
  volume.connect(out);
  for (const [at, pitch] of [[0, 523], [0.35, 659]] as const) {
    const note = context.createOscillator();
    note.frequency.value = pitch;
    note.connect(volume);
    note.start(context.currentTime + at);
    note.stop(context.currentTime + at + 0.3);
  }
  element.srcObject = out.stream;
  await soundFrom(element, speaker);
  try {
    await element.play();
    await new Promise(done => setTimeout(done, 900));
  } finally {
    element.srcObject = null;
    void context.close();
  }
}
