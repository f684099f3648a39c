/**
 * A text as a QR code (ISO/IEC 18004:2015), in bytes of UTF-8 with error correction M: the smallest of the forty sizes that holds it.
 * @returns rows of modules, true where it is dark, without the quiet zone of four around it; null for more than 2,331 bytes.
 */
export function qrCode(text: string): boolean[][] | null {
  const bytes = new TextEncoder().encode(text);
  for (let version = 1; version <= 40; version++) {
    const words = capacity(version) - checkWords(version);
    if (4 + lengthBits(version) + bytes.length * 8 <= words * 8) return new Drawing(version).drawn(interleaved(version, dataWords(version, words, bytes)));
  }
  return null;
}

// Table 9, error correction M, from version 1: check words of each block, and blocks.
const checkOfBlock = [10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26, 26, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28];
const blocks = [1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16, 17, 17, 18, 20, 21, 23, 25, 26, 28, 29, 31, 33, 35, 37, 38, 40, 43, 45, 47, 49];
const checkWords = (version: number): number => checkOfBlock[version - 1]! * blocks[version - 1]!;
const lengthBits = (version: number): number => version < 10 ? 8 : 16;

/** Words that a symbol holds: its modules without what finds, aligns and describes it (7.1 and table 1). */
function capacity(version: number): number {
  let modules = (16 * version + 128) * version + 64;
  if (version >= 2) {
    const count = Math.floor(version / 7) + 2;
    modules -= (25 * count - 10) * count - 55;
    if (version >= 7) modules -= 36;
  }
  return Math.floor(modules / 8);
}

/** 7.4: the mode, the length, the bytes, and what fills the rest. */
function dataWords(version: number, words: number, bytes: Uint8Array): number[] {
  const bits: number[] = [];
  const push = (value: number, count: number) => { for (let at = count - 1; at >= 0; at--) bits.push((value >>> at) & 1); };
  push(0b0100, 4);
  push(bytes.length, lengthBits(version));
  for (const byte of bytes) push(byte, 8);
  push(0, Math.min(4, words * 8 - bits.length));
  push(0, (8 - bits.length % 8) % 8);
  const found = Array.from({ length: bits.length / 8 }, (_, at) => bits.slice(at * 8, at * 8 + 8).reduce((sum, bit) => sum * 2 + bit, 0));
  for (let fill = 0xec; found.length < words; fill ^= 0xec ^ 0x11) found.push(fill);
  return found;
}

/** 7.5 and 7.6: blocks with their check words, the first words of all blocks first. */
function interleaved(version: number, data: readonly number[]): number[] {
  const count = blocks[version - 1]!, check = checkOfBlock[version - 1]!, whole = capacity(version);
  const short = Math.floor(whole / count) - check, shorts = count - whole % count, divisor = generator(check);
  const parts: number[][] = [], checks: number[][] = [];
  for (let at = 0, block = 0; block < count; block++) {
    const part = data.slice(at, at += short + (block < shorts ? 0 : 1));
    parts.push(part);
    checks.push(remainder(part, divisor));
  }
  const found: number[] = [];
  for (let at = 0; at <= short; at++) for (const part of parts) if (at < part.length) found.push(part[at]!);
  for (let at = 0; at < check; at++) for (const part of checks) found.push(part[at]!);
  return found;
}

/** In the field of 256 elements by x^8 + x^4 + x^3 + x^2 + 1. */
function product(a: number, b: number): number {
  let found = 0;
  for (let bit = 7; bit >= 0; bit--) found = (found << 1) ^ ((found >>> 7) * 0x11d) ^ (((b >>> bit) & 1) * a);
  return found;
}

function generator(degree: number): number[] {
  const found: number[] = [...Array<number>(degree - 1).fill(0), 1];
  for (let root = 1, at = 0; at < degree; at++, root = product(root, 2)) {
    for (let term = 0; term < degree; term++) found[term] = product(found[term]!, root) ^ (found[term + 1] ?? 0);
  }
  return found;
}

function remainder(data: readonly number[], divisor: readonly number[]): number[] {
  const found = divisor.map(() => 0);
  for (const word of data) {
    const factor = word ^ found.shift()!;
    found.push(0);
    for (const [at, term] of divisor.entries()) found[at]! ^= product(term, factor);
  }
  return found;
}

/** 7.8.2, table 10: where a mask turns a module over. */
const masks: readonly ((x: number, y: number) => boolean)[] = [
  (x, y) => (x + y) % 2 === 0, (_, y) => y % 2 === 0, x => x % 3 === 0, (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0, (x, y) => (x * y) % 2 + (x * y) % 3 === 0,
  (x, y) => ((x * y) % 2 + (x * y) % 3) % 2 === 0, (x, y) => ((x + y) % 2 + (x * y) % 3) % 2 === 0,
];

class Drawing {
  private readonly size: number;
  private readonly dark: boolean[][];
  /** What is not data. */
  private readonly fixed: boolean[][];

  constructor(private readonly version: number) {
    this.size = version * 4 + 17;
    this.dark = Array.from({ length: this.size }, () => Array<boolean>(this.size).fill(false));
    this.fixed = Array.from({ length: this.size }, () => Array<boolean>(this.size).fill(false));
    this.drawPatterns();
  }

  /** With the mask that is read best. */
  drawn(words: readonly number[]): boolean[][] {
    this.drawWords(words);
    let best = 0, least = Infinity;
    for (const mask of masks.keys()) {
      this.turn(mask);
      this.drawFormat(mask);
      const cost = penalty(this.dark);
      if (cost < least) [best, least] = [mask, cost];
      this.turn(mask);
    }
    this.turn(best);
    this.drawFormat(best);
    return this.dark;
  }

  private set(x: number, y: number, isDark: boolean): void {
    this.dark[y]![x] = isDark;
    this.fixed[y]![x] = true;
  }

  private drawPatterns(): void {
    for (let at = 0; at < this.size; at++) {
      this.set(6, at, at % 2 === 0);
      this.set(at, 6, at % 2 === 0);
    }
    for (const [x, y] of [[3, 3], [this.size - 4, 3], [3, this.size - 4]] as const) this.drawRings(x, y, 4, ring => ring !== 2 && ring !== 4);
    const places = this.alignments(), last = places.length - 1;
    for (const [i, x] of places.entries()) {
      for (const [j, y] of places.entries()) {
        const isFinder = (i === 0 && j === 0) || (i === 0 && j === last) || (i === last && j === 0);
        if (!isFinder) this.drawRings(x, y, 2, ring => ring !== 1);
      }
    }
    this.drawFormat(0);
    this.drawVersion();
  }

  private drawRings(x: number, y: number, radius: number, isDark: (ring: number) => boolean): void {
    for (let dy = -radius; dy <= radius; dy++) {
      for (let dx = -radius; dx <= radius; dx++) {
        const [atX, atY] = [x + dx, y + dy];
        if (atX >= 0 && atX < this.size && atY >= 0 && atY < this.size) this.set(atX, atY, isDark(Math.max(Math.abs(dx), Math.abs(dy))));
      }
    }
  }

  /** Annex E. */
  private alignments(): number[] {
    if (this.version === 1) return [];
    const count = Math.floor(this.version / 7) + 2, step = Math.floor((this.version * 8 + count * 3 + 5) / (count * 4 - 4)) * 2;
    const found = Array.from({ length: count - 1 }, (_, at) => this.size - 7 - at * step).reverse();
    return [6, ...found];
  }

  /** 7.9: the error correction and the mask, twice. */
  private drawFormat(mask: number): void {
    let rest = mask;
    for (let at = 0; at < 10; at++) rest = (rest << 1) ^ ((rest >>> 9) * 0x537);
    const bits = ((mask << 10) | rest) ^ 0x5412, bit = (at: number) => ((bits >>> at) & 1) === 1, end = this.size - 1;
    for (let at = 0; at < 15; at++) {
      // Beside the first finder, around the timing patterns; then below and beside the other two.
      if (at < 8) this.set(8, at < 6 ? at : at + 1, bit(at)); else this.set(at === 8 ? 7 : 14 - at, 8, bit(at));
      if (at < 8) this.set(end - at, 8, bit(at)); else this.set(8, end - 14 + at, bit(at));
    }
    this.set(8, this.size - 8, true);
  }

  /** 7.10. */
  private drawVersion(): void {
    if (this.version < 7) return;
    let rest = this.version;
    for (let at = 0; at < 12; at++) rest = (rest << 1) ^ ((rest >>> 11) * 0x1f25);
    const bits = (this.version << 12) | rest;
    for (let at = 0; at < 18; at++) {
      const [a, b, isDark] = [this.size - 11 + at % 3, Math.floor(at / 3), ((bits >>> at) & 1) === 1];
      this.set(a, b, isDark);
      this.set(b, a, isDark);
    }
  }

  /** 7.7.3: in columns of two, upwards and downwards, from the right. */
  private drawWords(words: readonly number[]): void {
    let at = 0;
    for (let right = this.size - 1; right >= 1; right -= 2) {
      if (right === 6) right = 5;
      const isUpward = ((right + 1) & 2) === 0;
      for (let step = 0; step < this.size; step++) {
        const y = isUpward ? this.size - 1 - step : step;
        for (const x of [right, right - 1]) {
          if (this.fixed[y]![x]) continue;
          this.dark[y]![x] = (((words[at >>> 3] ?? 0) >>> (7 - (at & 7))) & 1) === 1;
          at++;
        }
      }
    }
  }

  private turn(mask: number): void {
    for (let y = 0; y < this.size; y++) {
      for (let x = 0; x < this.size; x++) if (!this.fixed[y]![x] && masks[mask]!(x, y)) this.dark[y]![x] = !this.dark[y]![x];
    }
  }
}

/** 7.8.3: how much in it misleads who reads it: runs, blocks, what looks like a finder, and more dark than light. */
function penalty(dark: readonly (readonly boolean[])[]): number {
  const size = dark.length;
  let cost = 0, count = 0;
  for (let y = 0; y < size; y++) {
    const [row, column] = [dark[y]!, dark.map(line => line[y]!)];
    count += row.filter(Boolean).length;
    for (const line of [row, column]) {
      const text = line.map(one => one ? "1" : "0").join("");
      for (const run of text.match(/0{5,}|1{5,}/g) ?? []) cost += run.length - 2;
      cost += 40 * [...text.matchAll(/(?=00001011101|10111010000)/g)].length;
    }
    for (let x = 0; x + 1 < size && y + 1 < size; x++) if (row[x] === row[x + 1] && row[x] === dark[y + 1]![x] && row[x] === dark[y + 1]![x + 1]) cost += 3;
  }
  return cost + 10 * Math.floor(Math.abs(count * 20 / (size * size) - 10));
}
