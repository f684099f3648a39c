import "../design/tokens.css";
import "../design/base.css";
import "../design/parts.css";
import "../design/layout.css";
import "../design/room.css";
import "../design/talk.css";
import { createRoot } from "react-dom/client";
import { reports } from "../api/Server";
import { TextProvider } from "../text/Text";
import { Tips } from "../design/Tips";
import { Toasts } from "../design/Toast";
import { App } from "./App";
import { Mishap } from "./Mishap";

reports.begin();
const place = document.getElementById("app");
if (place) createRoot(place).render(<TextProvider><Mishap><App /></Mishap><Toasts /><Tips /></TextProvider>);
