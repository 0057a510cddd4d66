// The console's files, as texts: wrangler.toml has the rule that makes them so. They are a part of the Worker and not
// static assets, because those would put the platform's router in front of every webhook (docs/console.md).

import apiScript from "../console/api.mjs";
import appScript from "../console/app.mjs";
import chartScript from "../console/chart.mjs";
import style from "../console/console.css";
import domScript from "../console/dom.mjs";
import icon from "../console/icon.svg";
import page from "../console/index.html";
import lettersScript from "../console/letters.mjs";
import logScript from "../console/log.mjs";
import description from "../console/openapi.json";
import overviewScript from "../console/overview.mjs";
import refusalScript from "../console/refusal.mjs";
import refusalsScript from "../console/refusals.mjs";
import signinScript from "../console/signin.mjs";
import sourcesScript from "../console/sources.mjs";
import textScript from "../console/text.mjs";
import tlogScript from "../console/tlog.mjs";

/** By the names that src/admin/console.rs gives out. */
export const texts = {
  "api.mjs": apiScript,
  "app.mjs": appScript,
  "chart.mjs": chartScript,
  "console.css": style,
  "dom.mjs": domScript,
  "icon.svg": icon,
  "index.html": page,
  "letters.mjs": lettersScript,
  "log.mjs": logScript,
  "openapi.json": description,
  "overview.mjs": overviewScript,
  "refusal.mjs": refusalScript,
  "refusals.mjs": refusalsScript,
  "signin.mjs": signinScript,
  "sources.mjs": sourcesScript,
  "text.mjs": textScript,
  "tlog.mjs": tlogScript,
};
