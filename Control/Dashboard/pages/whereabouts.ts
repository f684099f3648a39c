import type { Sender } from "../api/Schema";
import type { Telemetry } from "../live/Telemetry";
import type { Spot } from "./projection";

/** `Harbour, 53.5461, 9.9937`: two numbers with a point each, latitude first, anywhere in what somebody wrote. */
const written = /(-?\d{1,2}\.\d{1,8})\s*[,;/ ]\s*(-?\d{1,3}\.\d{1,8})(?![\d.])/;

const isOnEarth = ({ latitude, longitude }: Spot): boolean => Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180;

/** What stands in a place's words; null where it has no coordinates. */
export function spotIn(text: string): Spot | null {
  const found = written.exec(text);
  if (!found || /[\d.]$/.test(text.slice(0, found.index))) return null;
  const spot = { latitude: Number(found[1]), longitude: Number(found[2]) };
  return isOnEarth(spot) ? spot : null;
}

/** Where a sender is: as a modem's satellite receiver sees it now or saw it last, else as its owner wrote; null where nobody knows. */
export function whereabouts(sender: Sender, sample: Telemetry | undefined): Spot | null {
  const seen = (sender.online ? sample?.modems ?? [] : []).find(modem => modem.position)?.position ?? sender.location?.position;
  return seen && isOnEarth(seen) ? seen : sender.location?.text ? spotIn(sender.location.text) : null;
}
