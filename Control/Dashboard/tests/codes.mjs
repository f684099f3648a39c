// Writes a picture of a full QR code of each size, with its text beside it, for a stranger's decoder: node codes.mjs FOLDER
import { writeFileSync } from "node:fs";
import { qrCode } from "../design/QRCode";
import { capacities } from "./capacities.mjs";

const folder = process.argv[2], scale = 3, quiet = 4;
for (const [at, length] of capacities.entries()) {
  // Every printable character, and as unlike itself as a token is.
  const text = Array.from({ length }, (_, place) => String.fromCharCode(33 + (place * place * 7 + place * 31 + at) % 94)).join("");
  const rows = qrCode(text), size = (rows.length + 2 * quiet) * scale, picture = Buffer.alloc(size * size, 255);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) if (rows[Math.floor(y / scale) - quiet]?.[Math.floor(x / scale) - quiet]) picture[y * size + x] = 0;
  }
  writeFileSync(`${folder}/${at + 1}.pgm`, Buffer.concat([Buffer.from(`P5 ${size} ${size} 255\n`), picture]));
  writeFileSync(`${folder}/${at + 1}.txt`, text);
}
