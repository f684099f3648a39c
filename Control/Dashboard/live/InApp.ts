/** A page that is open in another app's own window: many of those have no camera and no microphone, or forget what was allowed. */
export type InApp = { /** Empty where it does not say its name. */ app: string; system: "ios" | "android" | "other" };

/** What apps add to the browser's name that they use. */
const apps: readonly (readonly [RegExp, string])[] = [
  [/\bInstagram\b/, "Instagram"], [/\bMessenger(ForiOS|LiteForiOS)\b|\bOrca-Android\b/, "Messenger"], [/\bFBA[NV]\/|\bFB_IAB\//, "Facebook"], [/\bLine\/\d/, "LINE"],
  [/\bMicroMessenger\//, "WeChat"], [/\bmusical_ly|\bBytedanceWebview\b|\btrill_|\bTikTok\b/, "TikTok"], [/\bSnapchat\b/, "Snapchat"],
  [/\bLinkedInApp\b/, "LinkedIn"], [/\bTwitter(Android)?\b/, "X"], [/\bPinterest\//, "Pinterest"], [/\bTelegram-(Android|iOS)\b/, "Telegram"],
];

/** @param agent `navigator.userAgent`. @returns null for a browser. */
export function inApp(agent: string): InApp | null {
  const system = /\b(iPhone|iPad|iPod)\b/.test(agent) ? "ios" : /\bAndroid\b/.test(agent) ? "android" : "other";
  const app = apps.find(([mark]) => mark.test(agent))?.[1];
  if (app !== undefined) return { app, system };
  // Windows of apps that do not say whose they are: Android marks its own, and Safari alone is called so where all browsers are Safari.
  const isWindow = (system === "android" && /; wv\)/.test(agent)) || (system === "ios" && /\bAppleWebKit\//.test(agent) && !/\bSafari\//.test(agent));
  return isWindow ? { app: "", system } : null;
}
