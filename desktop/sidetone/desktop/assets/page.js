// What Flet's client is told before it starts: everything comes from here, nothing from elsewhere.
var flet = {
  pyodide: false,
  multiView: false,
  noCdn: true,
  webRenderer: "skwasm",
  routeUrlStrategy: "path",
  webSocketEndpoint: "/ws",
  entrypointBaseUrl: "/",
  assetBase: "/",
  canvasKitBaseUrl: "/canvaskit/",
  fontFallbackBaseUrl: "assets/fonts/",
};
flet.flutterAppLoaded = new Promise((resolve) => { flet.flutterAppResolve = resolve; });

// Keys of ours that browsers have another use for: see `interface/keys.py`.
addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && ["k", "/", ","].includes(event.key.toLowerCase())) {
    event.preventDefault();
  }
}, { capture: true });
