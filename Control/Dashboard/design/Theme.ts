import type { Branding } from "../api/Schema";

/** sRGB, 0 to 255 each. */
type Colour = readonly [red: number, green: number, blue: number];

const black: Colour = [0, 0, 0], white: Colour = [255, 255, 255];
/** What a text needs that everybody can read (WCAG 2.2, 1.4.3). */
const enough = 4.5;

/** The tokens of design/tokens.css that an organisation's colours have to fit: ground, surface and raised; muted text, good, warning and bad; and their own soft grounds. */
type Palette = { grounds: readonly string[]; text: string; signs: readonly string[]; soft: readonly (readonly [name: string, sign: string, ground: string])[] };
const light: Palette = {
  grounds: ["#f3f5f7", "#ffffff", "#eef1f4"], text: "#17212b", signs: ["#536170", "#14693a", "#865000", "#ad1f17"],
  soft: [["--good-soft", "#14693a", "#e2f3e8"], ["--warn-soft", "#865000", "#fbefd9"], ["--bad-soft", "#ad1f17", "#fbe6e4"]],
};
const dark: Palette = {
  grounds: ["#0f1419", "#171e26", "#202933"], text: "#e6ebf0", signs: ["#9aa7b4", "#5fce92", "#f0b95c", "#ff8d85"],
  soft: [["--good-soft", "#5fce92", "#16301f"], ["--warn-soft", "#f0b95c", "#372a11"], ["--bad-soft", "#ff8d85", "#3c1b19"]],
};

export const colour = (text: string): Colour => [1, 3, 5].map(at => parseInt(text.slice(at, at + 2), 16) || 0) as unknown as Colour;

const written = (colour: Colour): string => "#" + colour.map(part => Math.round(part).toString(16).padStart(2, "0")).join("");

/** @param share 0 is all of `from`, 1 all of `to`. */
const mixed = (from: Colour, to: Colour, share: number): Colour => from.map((part, at) => part + (to[at]! - part) * share) as unknown as Colour;

function luminance(colour: Colour): number {
  const [red, green, blue] = colour.map(part => part / 255).map(part => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}

/** From 1, of the same, to 21 (WCAG 2.2). */
export function contrast(one: Colour, other: Colour): number {
  const [a, b] = [luminance(one), luminance(other)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

/** As it is written: rounding to whole parts must not take from it. */
const isReadable = (text: Colour, ground: Colour): boolean => contrast(colour(written(text)), colour(written(ground))) >= enough;

/** The shade nearest to a colour, towards another one, that can be read on every ground. */
function readable(of: Colour, towards: Colour, grounds: readonly Colour[]): Colour {
  for (let share = 0; share < 1; share += 0.02) {
    const shade = mixed(of, towards, share);
    if (grounds.every(ground => isReadable(shade, ground))) return shade;
  }
  return towards;
}

/** Ground, surface, raised and line: those of the style sheet, or shades of the organisation's background, as far as everything can be read on them. */
function grounds(background: Colour | null, isDark: boolean, texts: readonly Colour[]): readonly [Colour, Colour, Colour, Colour] {
  const [ground, surface, raised] = (isDark ? dark : light).grounds.map(colour) as [Colour, Colour, Colour];
  if (!background) return [ground, surface, raised, colour(isDark ? "#2f3a46" : "#d5dce3")];
  const step = (towards: Colour, share: number) => {
    const shade = mixed(background, towards, share);
    return texts.every(text => isReadable(text, shade)) ? shade : background;
  };
  const far = isDark ? white : black;
  return [background, isDark ? step(white, 0.045) : step(white, 0.6), step(far, isDark ? 0.09 : 0.03), mixed(background, far, 0.16)];
}

const corners = { sharp: [0, 0], rounded: [8, 5], "extra-rounded": [14, 10], circular: [24, 19] } as const;
const borders = { none: 0, thin: 1, fat: 2 } as const;
/** Steps of the scale of distances, in its base. */
const steps = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 64, 80, 96];
const spaces = [1, 2, 3, 4, 6, 8];

/** Whether an organisation's pages are dark for whoever has chosen nothing. */
export const isDarkByItself = (branding: Branding): boolean => branding.mode !== "light";

/**
 * An organisation's theme as custom properties. Every pair of text and ground stays at 4.5 to 1 or more, whatever the brand's colour is.
 * @param isDark what is shown: whoever has chosen the other mode has the brand, and the style sheet's own backgrounds.
 */
export function properties(branding: Branding, isDark: boolean): Record<string, string> {
  const palette = isDark ? dark : light, isOwn = isDark === isDarkByItself(branding);
  const own = isOwn ? branding.background ?? (branding.mode === "darkest" ? "#000000" : null) : null;
  const background = own ? colour(own) : null, signs = palette.signs.map(colour);
  const wanted = isOwn && branding.text ? colour(branding.text) : null;
  // Where only the background was chosen: the mode's own text, or what can be read better.
  const text = wanted ?? (background && !isReadable(colour(palette.text), background) ? (isDark ? white : black) : colour(palette.text));
  const [ground, surface, raised, line] = grounds(background, isDark, [text, ...signs]);
  const brand = colour(branding.brand), far = isDark ? white : black;
  const accent = readable(brand, far, [ground, surface, raised]);
  const chosen = branding.textOnPrimary ? colour(branding.textOnPrimary) : null;
  const better = contrast(white, accent) >= contrast(black, accent) ? white : black;
  const soft = [0.16, 0.12, 0.08, 0.04].map(share => mixed(surface, accent, share)).find(shade => isReadable(accent, shade)) ?? surface;
  const result: Record<string, string> = {
    "--accent": written(accent), "--on-accent": written(chosen && isReadable(chosen, accent) ? chosen : better), "--accent-soft": written(soft), "--chart": written(accent),
    "--brand-300": written(mixed(brand, white, 0.4)), "--brand-400": written(mixed(brand, white, 0.2)), "--brand-500": written(brand),
    "--brand-600": written(mixed(brand, black, 0.15)), "--brand-700": written(mixed(brand, black, 0.3)),
    "--background-900": written(ground), "--background-800": written(surface), "--background-700": written(raised), "--background-600": written(line),
    "--video": branding.videoBackground, "--border": `${borders[branding.border]}px`, "--logo-height": `${branding.logoHeight}px`,
    "--radius": `${corners[branding.corners][0]}px`, "--radius-small": `${corners[branding.corners][1]}px`,
  };
  if (background || wanted) {
    Object.assign(result, { "--ground": written(ground), "--surface": written(surface), "--raised": written(raised), "--line": written(line), "--text": written(text) });
    // Where a soft ground of ours would hide the organisation's text, there is none.
    for (const [name, sign, ground] of palette.soft) {
      if (![text, colour(sign)].every(one => isReadable(one, colour(ground)))) result[name] = written(surface);
    }
  }
  for (const step of steps) result[`--spacing-${step}`] = `${step * branding.spacing}px`;
  for (const [at, step] of spaces.entries()) result[`--space-${at + 1}`] = `${step * branding.spacing}px`;
  return result;
}
