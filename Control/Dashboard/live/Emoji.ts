/** What people write most, as far as letters do not say it. size: a data table */
export const emoji: readonly string[] = [
  "😀", "😄", "😂", "🙂", "😉", "😍", "🤔", "😮",
  "😢", "😡", "😴", "🤯", "🥳", "😎", "🙈", "🤷",
  "👍", "👎", "👏", "🙏", "👋", "💪", "👀", "🤝",
  "❤️", "🎉", "🔥", "⭐", "✅", "❌", "❓", "☕",
];
