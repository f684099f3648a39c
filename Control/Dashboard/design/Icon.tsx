// Drawn by ourselves, in a square of 24; lines in the colour of the text.
const paths = {
  home: "M4 11l8-7 8 7v9h-5v-6H9v6H4z",
  senders: "M5 12a7 7 0 0 1 14 0M8 12a4 4 0 0 1 8 0M12 12v8M9 20h6",
  broadcasts: "M4 6h11a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1zM16 11l5-3v8l-5-3",
  destinations: "M12 21s7-6.2 7-11a7 7 0 1 0-14 0c0 4.8 7 11 7 11zM12 12.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z",
  meetings: "M4 5h16v11H11l-5 4v-4H4zM8 9h8M8 12h5",
  enrollment: "M12 5v14M5 12h14",
  members: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20a6.5 6.5 0 0 1 13 0M16 4.5a3.5 3.5 0 0 1 0 6.5M18 14.5a6.5 6.5 0 0 1 3.5 5.5",
  tokens: "M8 16.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM12.5 12H21v3.5M17 12v2.5",
  organization: "M4 20V6l8-3 8 3v14M9 20v-5h6v5M8 9h2M14 9h2",
  pool: "M4 5h16v5H4zM4 14h16v5H4zM7.5 7.5h.01M7.5 16.5h.01",
  audit: "M7 3h10v18H7zM10 8h4M10 12h4M10 16h2",
  health: "M3 12h4l2.5-6 4 12 2.5-6h5",
  webhooks: "M4 12a8 8 0 0 1 8-8v5M12 9l-3-3M12 9l3-3M5 15h14v5H5zM9 17.5h.01",
  account: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21a8 8 0 0 1 16 0",
  help: "M9 9a3 3 0 1 1 4.5 2.6c-1 .6-1.5 1.2-1.5 2.4M12 17h.01M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z",
  less: "M5 12h14",
  menu: "M4 7h16M4 12h16M4 17h16",
  close: "M6 6l12 12M18 6L6 18",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  check: "M5 12.5l4.5 4.5L19 7.5",
  warning: "M12 4l9 16H3zM12 10v4M12 17h.01",
  microphone: "M12 15a3.5 3.5 0 0 0 3.5-3.5v-5a3.5 3.5 0 0 0-7 0v5A3.5 3.5 0 0 0 12 15zM5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3",
  muted: "M15.5 9V6.5a3.5 3.5 0 0 0-6.6-1.6M8.5 9v2.5a3.5 3.5 0 0 0 5.6 2.8M5.5 11.5a6.5 6.5 0 0 0 10.6 5M18.5 11.5a6.4 6.4 0 0 1-.5 2.5M12 18v3M4 4l16 16",
  camera: "M4 7h10a1 1 0 0 1 1 1v8a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V8a1 1 0 0 1 1-1zM15 11l6-3.5v9L15 13",
  unseen: "M9 7h5a1 1 0 0 1 1 1v3l6-3.5v9M15 16a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V8a1 1 0 0 1 1-1M4 4l16 16",
  screen: "M3 5h18v11H3zM8 20h8M12 16v4M12 8v5M9.5 10.5L12 8l2.5 2.5",
  leave: "M10 4H5v16h5M14 8l4 4-4 4M18 12H9",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  pin: "M9 4h6l-1 6 3 3H7l3-3zM12 13v7",
  grid: "M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z",
  speaker: "M4 5h16v9H4zM4 17h4v3H4zM10 17h4v3h-4zM16 17h4v3h-4z",
  loud: "M4 9h4l5-4v14l-5-4H4zM16 9a4 4 0 0 1 0 6M18.5 6.5a8 8 0 0 1 0 11",
  back: "M15 5l-7 7 7 7",
  down: "M6 9l6 6 6-6",
} as const;

export type IconName = keyof typeof paths;

export const Icon = ({ name }: { name: IconName }) =>
  <svg className="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d={paths[name]} /></svg>;
